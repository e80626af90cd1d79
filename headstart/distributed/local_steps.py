"""A client's steps in a round: gradient descent on a linear head from where the server stands.

    w <- w - lr (g + mu (w - w_t)),    g = mean over a batch of z (p - t)'

z (D + 1) is a row of features, standardised and divided by sqrt(D) so that its mean squared length is about 1 whatever
D, and a 1 behind it; t is 1 of the row's class and 0 of the others, or the standardised value; p is what the head says
of the row; w_t is where the round began, and mu is above 0 in FedProx alone (Li et al., 2020). The features are
computed once and kept. A problem is trained for each fold, without its rows, and one on all rows.

Of the rows the server is told moments first, from which all standardise alike. In FedBN (Li et al., 2021) statistics of
features stay at the client: it standardises by its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headstart.distributed.clients import Rounds
from headstart.heads.head import Head
from headstart.heads.standardize import Scale, Standard, scaled
from headstart.tasks.kind import Kind
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from headstart.distributed.owner import Member

__all__ = ["Moments", "descended", "localised", "moments_of", "trained"]

_ROUNDING = 4 * float(np.sqrt(np.finfo(np.float64).eps))


class Moments(NamedTuple):
    """Of some rows: how many, sums (D,) and sums of squares (D,) of features, the same of answers (C,)."""

    rows: float
    total: Array
    squares: Array
    answers: Array
    answer_squares: Array

    @classmethod
    def of(cls, features: Array, truth: Array) -> Moments:
        x = np.asarray(features, dtype=np.float64)
        return cls(float(len(x)), x.sum(axis=0), np.square(x).sum(axis=0), truth.sum(axis=0), (truth**2).sum(axis=0))

    def vector(self) -> Array:
        return np.concatenate([[self.rows], *self[1:]])

    @classmethod
    def from_vector(cls, vector: Array, width: int, columns: int) -> Moments:
        """The inverse of `vector`. Raises ValueError for another length, and for what are no moments."""
        sizes = [1, width, width, columns, columns]
        if vector.shape != (sum(sizes),):
            raise ValueError(f"{vector.size} numbers are no moments of {width} features and {columns} answers")
        if not np.isfinite(vector).all():
            raise ValueError(f"{int((~np.isfinite(vector)).sum())} of {len(vector)} numbers are NaN or infinite")
        rows, *rest = np.split(vector, np.cumsum(sizes)[:-1])
        return cls(float(rows[0]), *rest)

    def standard(self, scale: Scale) -> Standard:
        """Mean and scale of features, of which a row has a mean squared length of about 1."""
        rows = max(self.rows, 1.0)
        mean = self.total / rows
        deviation = np.sqrt(np.maximum(self.squares / rows - mean**2, 0.0))
        constant = deviation <= np.maximum(_ROUNDING * np.abs(mean), np.finfo(np.float32).tiny)
        standard = scaled(mean, np.where(constant, 0.0, deviation), constant, scale)
        return Standard(standard.mean, standard.scale * np.sqrt(len(mean)))

    def values(self, kind: Kind) -> tuple[Array, Array]:
        """The centre and the spread (C,) by which answers are standardised; 0 and 1 of classes."""
        if kind.has_classes:
            return np.zeros_like(self.answers), np.ones_like(self.answers)
        rows = max(self.rows, 1.0)
        centre = self.answers / rows
        spread = np.sqrt(np.maximum(self.answer_squares / rows - centre**2, 0.0))
        return centre, np.where(spread > _ROUNDING * np.abs(centre), spread, 1.0)


def moments_of(member: Member) -> Array:
    """Those of each fold, one behind the other."""
    truth = _truth(member)
    folds = [np.flatnonzero(member.fold == fold) for fold in range(member.agreement.folds)]
    return np.concatenate([Moments.of(member.features[rows], truth[rows]).vector() for rows in folds])


def _own_standard(member: Member, rows: Array) -> Standard:
    """Mean and scale of a client's own rows (numbers), as `Moments.standard`."""
    return Moments.of(member.features[rows], _truth(member)[rows]).standard(member.agreement.scale)


def localised(member: Member, heads: list[Head]) -> list[Head]:
    """Heads as this client uses them: in FedBN with the statistics of its own rows, the held-out fold left out."""
    how = member.agreement.how
    if how is None or how.strategy != "fedbn" or how.moves_weights:
        return heads
    own = []
    for place, head in enumerate(heads):
        rows = np.flatnonzero(member.fold != place)
        standard = _own_standard(member, rows) if len(rows) else Standard(head.arrays["mean"], head.arrays["scale"])
        own.append(replace(head, arrays=head.arrays | {"mean": standard.mean, "scale": standard.scale}))
    return own


def trained(member: Member, given: Mapping[str, Array], number: int) -> Array:
    """A client's answer in a round: for each problem how many rows it has, and that many times its weights, one
    problem behind the other.

    given   "weights" (P, D + 1, C) where the round begins; "mean" and "scale" (P, D) of features, "centre" and
            "spread" (P, C) of answers
    number  of the round, from 1; the rows are shuffled by it and the seed

    Raises ValueError where the weights grow without bound.
    """
    rounds, kind = Rounds(**member.agreement.rounds), member.rows.task.kind
    truth = _truth(member)
    parts: list[Array] = []
    for place, start in enumerate(given["weights"]):
        rows = np.flatnonzero(member.fold != place)
        standard = Standard(given["mean"][place], given["scale"][place])
        if rounds.strategy == "fedbn" and len(rows):
            standard = _own_standard(member, rows)
        z = (member.features[rows] - standard.mean) / standard.scale
        t = (truth[rows] - given["centre"][place]) / given["spread"][place]
        random = np.random.default_rng([member.agreement.seed, number, place])
        with np.errstate(over="ignore", invalid="ignore"):
            weights = descended(z, t, start, kind, rounds, random)
        if not np.isfinite(weights).all() or np.abs(weights).max(initial=0.0) > 2.0**_LARGEST:
            raise ValueError(f"its weights grow without bound at lr = {rounds.lr:g}: name a smaller one in [rounds]")
        parts += [np.array([float(len(rows))]), len(rows) * weights.ravel()]
    return np.concatenate(parts)


_LARGEST = 8
"""The exponent of the largest weight that is taken for one: rows have length 1 and logits are of that order."""


def descended(z: Array, truth: Array, start: Array, kind: Kind, rounds: Rounds, random: np.random.Generator) -> Array:
    """(D + 1, C) weights after the epochs of a round on rows z (N, D) with answers (N, C); `start` is w_t."""
    rows = np.hstack([z, np.ones((len(z), 1))])
    weights, pull = start.copy(), rounds.mu if rounds.strategy == "fedprox" else 0.0
    size = rounds.batch or max(1, len(rows))
    for _ in range(rounds.epochs):
        order = random.permutation(len(rows))
        for first in range(0, len(rows), size):
            batch = order[first : first + size]
            answers = kind.probabilities(rows[batch] @ weights, 1.0).reshape(len(batch), -1)
            gradient = rows[batch].T @ (answers - truth[batch]) / len(batch)
            weights -= rounds.lr * (gradient + pull * (weights - start))
    return weights


def _truth(member: Member) -> Array:
    return member.rows.task.kind.truth(np.asarray(member.rows.task.targets), member.classes)
