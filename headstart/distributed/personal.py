"""A head of a client's own: that of all clients, moved as far as the client's own rows speak for it.

    minimise over d:   mean_i loss(f(x_i) + d' z_i, t_i) + s / 2 |d|^2

f is the federated head at its temperature, z_i (D + 1) the row as that head standardises it, divided by the root of the
mean squared length of the client's rows, with a 1 behind. This is the
penalty L2-SP (Li, Grandvalet and Davoine, 2018) with the federated head as the point that weights are drawn to: s at
infinity leaves that head as it is, and a small s gives one of the client's rows alone. The loss is the log loss, or
half the squared error. It is convex, and one class among the client's rows is enough.

s is that of the least loss on the client's own folds: rows of a fold are answered by the federated head that was fitted
without them, moved by the client's rows outside the fold. What is told of a fold's rows goes by the s of all others.
Nothing of it leaves the client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize

from headstart.distributed.local_steps import localised
from headstart.heads.calibrate import row_log_losses
from headstart.heads.facts import FitterFacts
from headstart.heads.head import Head
from headstart.tasks.kind import Kind
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from headstart.distributed.owner import Member

__all__ = ["STRENGTHS", "Folded", "Personal", "moved", "own_head", "personal_of", "shifts"]

STRENGTHS = (float("inf"), *(10.0 ** np.arange(1.0, -4.5, -0.5)).tolist())
"""Candidates for s, the strongest first."""


class Personal(NamedTuple):
    """head  of a client's own; out_of_fold (N, C): logits of each of its rows by a head that was fitted without it."""

    head: Head
    out_of_fold: Array


class _Rows(NamedTuple):
    """Rows z (N, D + 1), what the federated head says of them (N, C), their targets, and by what z was divided."""

    z: Array
    logits: Array
    targets: Array
    length: float

    def take(self, rows: Array) -> _Rows:
        return _Rows(self.z[rows], self.logits[rows], self.targets[rows], self.length)


class Folded(NamedTuple):
    """Features (N, D) and targets of rows, in which fold each is held out (N,), their kind and how many classes."""

    features: Array
    targets: Array
    fold: Array
    kind: Kind
    classes: int


def personal_of(member: Member, heads: Sequence[Head]) -> Personal:
    """heads: the federated ones, one a fold that was fitted without it, and one of all rows."""
    task = member.rows.task
    rows = Folded(member.features, np.asarray(task.targets), member.fold, task.kind, member.classes)
    return own_head(rows, localised(member, list(heads)))


def own_head(folded: Folded, heads: Sequence[Head]) -> Personal:
    """About these heads, one a fold and one of all rows."""
    features, targets, fold_of, kind, classes = folded
    folds = [np.flatnonzero(fold_of == fold) for fold in range(len(heads) - 1)]
    logits = np.empty((len(STRENGTHS), len(targets), kind.outputs(classes)))
    losses = np.zeros((len(STRENGTHS), len(folds)))
    for fold, (head, left) in enumerate(zip(heads, folds, strict=False)):
        if not len(left):
            continue
        rows = _rows(head, features, targets)
        rest, asked = rows.take(np.flatnonzero(fold_of != fold)), rows.take(left)
        for place, shift in enumerate(shifts(rest, kind, classes)):
            logits[place, left] = asked.logits + asked.z @ shift
            losses[place, fold] = _losses(logits[place, left], targets[left], kind).sum()
    out = np.empty(logits.shape[1:])
    for fold, left in enumerate(folds):
        out[left] = logits[int(np.argmin(np.delete(losses, fold, axis=1).sum(axis=1))), left]
    best = int(np.argmin(losses.sum(axis=1)))
    rows = _rows(heads[-1], features, targets)
    every = shifts(rows, kind, classes)
    account = {"strength": STRENGTHS[best], "losses": losses.sum(axis=1).tolist()}
    return Personal(moved(heads[-1], every[best], rows.length, account), out)


def shifts(rows: _Rows, kind: Kind, classes: int) -> list[Array]:
    """d (D + 1, C) at each of `STRENGTHS`; all 0 where there are no rows."""
    width, columns = rows.z.shape[1], rows.logits.shape[1]
    if not len(rows.z):
        return [np.zeros((width, columns)) for _ in STRENGTHS]
    left, sizes, right = np.linalg.svd(rows.z, full_matrices=False)
    truth, turned = kind.truth(rows.targets, classes), left * sizes
    made, at = [], np.zeros((len(sizes), columns))
    for strength in STRENGTHS:
        if strength == np.inf:
            made.append(np.zeros((width, columns)))
            continue
        if kind.has_classes:
            at = _least_loss(turned, rows, truth, strength, kind, at)
        else:
            per_axis = np.square(sizes) / len(rows.z) + strength
            at = (sizes / per_axis)[:, None] * (left.T @ (truth - rows.logits)) / len(rows.z)
        made.append(right.T @ at)
    return made


def moved(head: Head, shift: Array, length: float, account: dict[str, object]) -> Head:
    """The head whose logits stand d' z from those of this one at its temperature."""
    arrays = {
        "weight.0": (head.arrays["weight.0"] / head.temperature + shift[:-1] / length).astype(np.float32),
        "bias.0": head.arrays["bias.0"] / head.temperature + shift[-1],
    }
    facts = FitterFacts(account=account)
    return replace(head, name="personal", arrays=head.arrays | arrays, temperature=1.0, facts=facts)


def _rows(head: Head, features: Array, targets: Array) -> _Rows:
    z = (features - head.arrays["mean"]) / head.arrays["scale"]
    length = float(np.sqrt(np.square(z).sum(axis=1).mean())) or 1.0
    logits = head.logits(features) / head.temperature
    return _Rows(np.hstack([z / length, np.ones((len(z), 1))]), logits, targets, length)


def _least_loss(turned: Array, rows: _Rows, truth: Array, strength: float, kind: Kind, start: Array) -> Array:
    """The minimum on the axes of the rows, (K, C), from `start`."""

    def of(flat: Array) -> tuple[float, Array]:
        point = flat.reshape(start.shape)
        logits = rows.logits + turned @ point
        gradient = turned.T @ (kind.probabilities(logits, 1.0) - truth) / len(turned) + strength * point
        value = _losses(logits, rows.targets, kind).mean() + strength / 2 * np.square(point).sum()
        return float(value), gradient.ravel()

    done = minimize(
        of, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500, "gtol": 1e-7, "ftol": 1e-13}
    )
    return np.asarray(done.x).reshape(start.shape)


def _losses(logits: Array, targets: Array, kind: Kind) -> Array:
    """(N,) the log loss of each row, summed over its labels; or half the squared error."""
    if not kind.has_classes:
        return np.asarray(np.square(logits[:, 0] - targets) / 2)
    losses, _ = row_log_losses(logits, targets, kind, np.ones(len(logits)))
    return losses * logits.shape[1] if kind.several else losses
