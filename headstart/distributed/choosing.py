"""Which heads a server fits from the sums of folds, and the temperature that the clients' losses give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.distributed.agreement import Agreement
from headstart.distributed.owner import TEMPERATURES
from headstart.distributed.payload import heads_record
from headstart.heads.facts import FitterFacts
from headstart.heads.from_sums import FROM_SUMS, chosen_from_sums, fit_sums
from headstart.heads.head import Head
from headstart.heads.sums import Sums
from headstart.tasks.kind import Kind, kind_named
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from headstart.distributed.server import Server

__all__ = [
    "by_residuals",
    "candidates",
    "heads_of",
    "least",
    "least_supported",
    "settled",
    "summed_losses",
    "without_each",
]


def least(losses: Array) -> float:
    """The temperature of the least loss, by the parabola through the three points about it."""
    at = int(np.argmin(losses))
    if not 0 < at < len(losses) - 1:
        return float(TEMPERATURES[at])
    before, here, after = losses[at - 1 : at + 2]
    bend = before - 2 * here + after
    shift = 0.0 if bend <= 0 else (before - after) / (2 * bend)
    step = np.log(TEMPERATURES[1] / TEMPERATURES[0])
    return float(TEMPERATURES[at] * np.exp(shift * step))


def least_supported(losses: Array, kind: Kind, outputs: int) -> float:
    """The same, but no surer than the rule of succession lets n right answers be (see `heads.calibrate`): of few rows
    that are told apart the loss falls for ever. n is what the loss at the last temperature, which knows nothing, says.
    """
    each = np.log(2 if kind.several else outputs)
    rows = losses[-1] / each
    bound = rows * np.log1p(1 / (rows * (outputs if kind.several else 1) + 1))
    at = int(np.argmin(losses))
    if rows < 0.5 or losses[at] >= bound:
        return least(losses) if rows >= 0.5 else 1.0
    after = at + int(np.argmax(losses[at:] >= bound))
    return float(np.exp(np.interp(bound, losses[after - 1 : after + 1], np.log(TEMPERATURES[after - 1 : after + 1]))))


def summed_losses(server: Server, agreement: Agreement, step: str, given: Mapping[str, Array], parts: int) -> Array:
    """(parts, T) the log loss of each part of the clients' held-out rows at each temperature, summed."""
    shape = (parts, len(TEMPERATURES))

    def checked(vector: Array) -> None:
        if vector.shape != (shape[0] * shape[1],) or not np.isfinite(vector).all() or vector.min() < 0:
            raise ValueError(f"it sent {vector.size} numbers that are no log losses; expected {shape}")

    done = server.step(step, lambda: server.added("losses", agreement, given, checked))
    return np.asarray(done.arrays["total"]).reshape(shape)


def settled(server: Server, agreement: Agreement, fitted: Mapping[str, list[Head]]) -> list[Head]:
    """Of each place the candidate of the least summed loss on held-out rows, at the temperature of that loss; of a fold
    by the rows of the others."""
    folds = agreement.folds
    curves = {
        name: summed_losses(server, agreement, f"losses of {name}", heads_record(heads[:-1]), folds)
        for name, heads in fitted.items()
    }
    made = []
    for place in range(folds + 1):
        others = np.delete(np.arange(folds), place) if place < folds else np.arange(folds)
        rest = {name: curve[others].sum(axis=0) for name, curve in curves.items()}
        best = min(fitted, key=lambda name: float(rest[name].min()))
        head = fitted[best][place]
        scores = {name: float(curve.min()) for name, curve in rest.items()}
        account = {**head.facts.account, "summed log loss": scores}
        made.append(replace(head, temperature=least(rest[best]), facts=FitterFacts(account=account)))
    return made


def candidates(agreement: Agreement, *, private: bool) -> list[str]:
    """Names of heads: the one that was named, else those that answer such a task."""
    if agreement.head != "auto":
        return [agreement.head]
    kind = kind_named(agreement.kind)
    return ["ridge"] if private else [name for name in ("ridge", "lda", "prototypes") if kind in FROM_SUMS[name].kinds]


def heads_of(agreement: Agreement, sums: list[Sums], name: str) -> list[Head]:
    """One a fold, without it, and one of all."""
    parts = without_each(agreement, sums)
    return [fit_sums(part, name, kind=agreement.kind, scale=agreement.scale) for part in parts]


def without_each(agreement: Agreement, sums: list[Sums]) -> list[list[Sums]]:
    """The folds without each of them, and all."""
    return [*(sums[:fold] + sums[fold + 1 :] for fold in range(agreement.folds)), sums]


def by_residuals(agreement: Agreement, sums: list[Sums], name: str) -> Head:
    """With private sums: answers coded +1 and -1 whose residuals are normal with the held-out variance v have log odds
    2 y / v; the temperature is v / 2. LDA has log odds already; those of prototypes are left as they are."""
    head, error = chosen_from_sums(sums, name, kind=agreement.kind, scale=agreement.scale)
    return head if error is None or name != "ridge" else replace(head, temperature=max(error**2 / 2, 1e-3))
