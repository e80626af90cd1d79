"""Which heads a server fits from the sums of folds, and the temperature that the clients' losses give them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart.distributed.agreement import Agreement
from headstart.distributed.owner import TEMPERATURES
from headstart.heads.from_sums import FROM_SUMS, chosen_from_sums, fit_sums
from headstart.heads.head import Head
from headstart.heads.sums import Sums
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array

__all__ = ["by_residuals", "candidates", "heads_of", "least", "without_each"]


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
