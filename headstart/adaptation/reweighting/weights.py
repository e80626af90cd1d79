"""What every weighing of source rows shares: enough rows, a draw of them, weights of mean 1."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from headstart.adaptation.alignment.checks import left_alone
from headstart.adaptation.alignment.step import Aligned, Domains, unmoved
from headstart.tasks.task import Array

__all__ = ["drawn", "effective", "level", "rows_needed", "weighed"]


def rows_needed(domains: Domains, source: int, target: int, why: str) -> None:
    """Raises ValueError, in words, where a task has fewer rows than a method needs."""
    for name, rows, least in (("source", domains.source, source), ("target", domains.target, target)):
        if len(rows) < least:
            raise ValueError(f"the {name} has {len(rows)} row(s): expected at least {least}, {why}")


def drawn(rows: Array, most: int, seed: int) -> Array:
    """At most this many of the rows, in their order."""
    if len(rows) <= most:
        return rows
    return rows[np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))]


def level(domains: Domains) -> Aligned:
    """`left_alone` in weights: each row as it came."""
    return weighed(domains, np.ones(len(domains.source)), left_alone(domains).facts)


def effective(weights: Array) -> float:
    """How many equally weighted rows are worth as much: (sum w)^2 / sum w^2."""
    return float(weights.sum() ** 2 / np.square(weights).sum())


def weighed(domains: Domains, weights: Array, facts: Mapping[str, object]) -> Aligned:
    """Source rows unmoved, with weights (n,) times those they came with, mean 1.

    Raises ValueError where no row has any weight: no source row is near the target.
    """
    together = weights if domains.weights is None else weights * domains.weights
    total = float(together.sum())
    if not total > 0 or not math.isfinite(total):
        raise ValueError(
            f"the weights of the source rows add up to {total:g}: no source row is near a target row at this width; "
            "use a wider kernel (a smaller gamma), or standardise the features"
        )
    together = together * (len(together) / total)
    return Aligned(domains.source, domains.targets, together, unmoved, {**facts, "effective": effective(together)})
