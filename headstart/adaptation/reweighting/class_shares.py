"""The share of each class in both tasks, and the weights of source rows that follow: w = q(y) / p(y)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.adaptation.alignment.step import Aligned, Domains
from headstart.adaptation.reweighting.weights import rows_needed, weighed
from headstart.checks import above, whole
from headstart.tasks.task import Array

__all__ = ["Shares", "by_share", "check_classes", "check_fitting", "interval", "source_shares"]


class Shares(NamedTuple):
    """What a method found out about the classes of the target.

    source     (C,) share of each class among source rows
    target     (C,) estimated share among target rows, at least 0, sum 1
    low, high  (C,) 95 % interval of the target's share, by the bootstrap
    notes      what must be said beside it, in words
    """

    source: Array
    target: Array
    low: Array
    high: Array
    notes: tuple[str, ...]


def source_shares(domains: Domains) -> Array:
    """(C,) how often each class is there among source rows."""
    return np.bincount(domains.targets.astype(int), minlength=domains.classes) / len(domains.targets)


def by_share(domains: Domains, shares: Shares, facts: dict[str, object]) -> Aligned:
    """Source rows with weight q(y) / p(y), times what they came with."""
    ratio = shares.target / shares.source
    estimates = {name: getattr(shares, name).tolist() for name in ("source", "target", "low", "high")}
    return weighed(domains, ratio[domains.targets.astype(int)], {**estimates, "notes": list(shares.notes), **facts})


def interval(draws: Array, centre: Array, shrink: float = 1.0) -> tuple[Array, Array]:
    """2.5 and 97.5 % of draws (B, C), their deviations from the centre times `shrink`, always around the centre."""
    low, high = centre + shrink * (np.quantile(draws, (0.025, 0.975), axis=0) - centre)
    return np.clip(np.minimum(low, centre), 0, 1), np.clip(np.maximum(high, centre), 0, 1)


def check_fitting(C: float, folds: int, draws: int) -> None:
    """Raises ValueError for options of the classifier or of the bootstrap that make no sense."""
    above("C", C, 0, "1")
    whole("folds", folds, 2)
    whole("draws", draws, 20, "200")


def check_classes(domains: Domains) -> None:
    """Raises ValueError, in words, where there are no classes, or one that cannot be fitted without a row of it."""
    if domains.classes == 0:
        raise ValueError(
            "label shift is about classes, and this is a regression: use weights by features, such as RuLSIF"
        )
    if domains.classes == 1:
        raise ValueError("the source has 1 class: expected at least 2, whose shares could differ")
    counts = np.bincount(domains.targets.astype(int), minlength=domains.classes)
    few = np.flatnonzero(counts < 2)
    if few.size:
        counted = ", ".join(f"class {code} has {counts[code]}" for code in few.tolist())
        raise ValueError(
            f"each class needs at least 2 source rows, and {counted}: leave these classes out of both tasks, "
            "or add source rows of them"
        )
    rows_needed(domains, 2, 1, "to estimate shares")
