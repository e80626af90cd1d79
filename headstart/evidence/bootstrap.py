"""The bootstrap (Efron, 1979): many models scored on the same resamples of the held-out rows, or of their groups.

Units (rows, or whole groups where there are groups) are drawn with replacement; every model and every repeat of
cross-validation is scored on the same draws, so differences are paired. A draw is a column of weights, and a tally
(K, U) times the weights (U, B) scores all draws in one product.

With repeats, a score is the mean over repeats. Resampling rows does not show the spread between training sets; the
values of the repeats do, see `intervals.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from headstart.evidence.calibration import BINS
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import Draws, Shares
from headstart.evidence.ranking import on_logits, ranked
from headstart.evidence.scores import scores_of_sums
from headstart.evidence.tally import tally
from headstart.tasks.goal import Answers
from headstart.tasks.task import Array

__all__ = ["RESAMPLES", "Resampled", "bootstrap", "unit_weights"]

RESAMPLES = 2000
_WEIGHTS_AT_ONCE = 2_000_000
_MACRO = frozenset({"balanced_accuracy", "macro_precision", "macro_recall", "macro_f1"})
_POOLED = frozenset({"accuracy", "micro_f1"})
_BOUNDS = {
    "r2": (-math.inf, 1.0), "mae": (0.0, math.inf), "rmse": (0.0, math.inf), "log_loss": (0.0, math.inf),
    "cost": (-math.inf, math.inf),
}  # fmt: skip


class Resampled(NamedTuple):
    """What one model scores: on all rows in each repeat (R,), and on each resample (B,).

    exact, found   right rows and, of each class that occurs, right rows of that class, in each unit; None for values
    ranked         the shares of the rows of each class that counts, of the AUROC and of average precision
    lifted         by how much the noise of the rows lifts the calibration error where the answers are calibrated
    """

    repeats: dict[str, Array]
    resampled: dict[str, Array]
    units: int
    exact: Shares | None = None
    found: Shares | None = None
    ranked: Mapping[str, Shares] = MappingProxyType({})
    lifted: float = 0.0
    folds: int = 1

    @property
    def value(self) -> dict[str, float]:
        """On all rows, the mean over repeats."""
        return {name: float(repeats.mean()) for name, repeats in self.repeats.items()}

    def draws(self, metric: str) -> Draws:
        """The draws of one score, for `interval`."""
        shares = self.found if metric in _MACRO else self.exact if metric in _POOLED else self.ranked.get(metric)
        bounds = _BOUNDS.get(metric, (0.0, 1.0))
        repeats, resampled, units = self.repeats[metric], self.resampled[metric], self.units
        value = float(repeats.mean())
        if metric in self.ranked:
            resampled = on_logits(value, resampled)
            units = min(units, round((self.ranked[metric].whole > 0).sum(axis=1).mean()))
        lifted = self.lifted if metric == "calibration_error" else 0.0
        return Draws(value, resampled, units, bounds, shares, lifted=lifted, repeats=tuple(repeats), folds=self.folds)


def bootstrap(
    held_out: HeldOut, predictions: Mapping[str, Answers], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Resampled]:
    """Score each model, by name, on the same resamples. Predictions (N, C), (N,), or with an axis of repeats before.

    10,000 rows, 100 classes and 2,000 resamples take about a second a model and some 100 MB.
    """
    units = _units(held_out)
    count = int(units.shape[0])
    tallies = {
        name: [sparse.csr_array((units @ tally(held_out, answers)).T) for answers in held_out.repeats(array)]
        for name, array in predictions.items()
    }
    drawn: dict[str, list[dict[str, Array]]] = {name: [] for name in tallies}
    for weights in unit_weights(count, resamples, seed):
        for name, repeats in tallies.items():
            drawn[name].append(_scores(held_out, repeats, weights))
    return {name: _resampled(held_out, repeats, drawn[name]) for name, repeats in tallies.items()}


def _units(held_out: HeldOut) -> sparse.csr_array:
    """(U, N) of 0 and 1: which rows make up each unit."""
    rows = len(held_out.targets)
    codes = (
        np.arange(rows)
        if held_out.group is None
        else pd.factorize(np.asarray(held_out.group), use_na_sentinel=False)[0]
    )
    return sparse.csr_array((np.ones(rows), (codes, np.arange(rows))))


def unit_weights(units: int, resamples: int, seed: int) -> Iterator[Array]:
    """(U, b) how often each unit is drawn, in blocks of resamples that fit in memory."""
    generator = np.random.default_rng(seed)
    block = max(1, _WEIGHTS_AT_ONCE // units)
    for start in range(0, resamples, block):
        width = min(block, resamples - start)
        drawn = generator.integers(units, size=(units, width)) * width + np.arange(width)
        yield np.bincount(drawn.ravel(), minlength=units * width).reshape(units, width).astype(np.float64)


def _scores(held_out: HeldOut, repeats: list[sparse.csr_array], weights: Array) -> dict[str, Array]:
    """(B,) of each score, the mean over repeats."""
    each = [scores_of_sums(np.asarray(sums @ weights), held_out) for sums in repeats]
    return {name: np.mean([scores[name] for scores in each], axis=0) for name in held_out.metrics}


def _resampled(held_out: HeldOut, repeats: list[sparse.csr_array], drawn: list[dict[str, Array]]) -> Resampled:
    units, classes = int(repeats[0].shape[1]), len(held_out.classes)
    once = np.ones((units, 1))
    each = [_scores(held_out, [sums], once) for sums in repeats]
    values = {name: np.array([float(scores[name][0]) for scores in each]) for name in held_out.metrics}
    resampled = {name: np.concatenate([block[name] for block in drawn]) for name in held_out.metrics}
    if not held_out.kind.has_classes:
        return Resampled(values, resampled, units, folds=held_out.folds)
    mean = (sum(repeats[1:], repeats[0]) / len(repeats)).toarray()
    support, rows, exact = mean[:classes], mean[[3 * classes]], mean[[3 * classes + 1]]
    present = support.any(axis=1)
    hits = mean[2 * classes : 3 * classes]
    found = Shares(hits[present], support[present])
    order, lifted = _ranked(held_out, mean, support), float(np.mean([_lifted(sums, classes) for sums in repeats]))
    return Resampled(values, resampled, units, Shares(exact, rows), found, order, lifted, held_out.folds)


def _lifted(sums: sparse.csr_array, classes: int) -> float:
    """The calibration error to be expected of calibrated answers: of each bin the mean absolute value of a normal
    variable of mean 0 whose variance is that of the sum of the gaps over the units."""
    gaps, rows = sums[3 * classes + 4 : 3 * classes + 4 + BINS].toarray(), sums[[3 * classes]].sum()
    return float(math.sqrt(2 / math.pi) * np.sqrt(np.square(gaps).sum(axis=1)).sum() / rows)


def _ranked(held_out: HeldOut, sums: Array, support: Array) -> dict[str, Shares]:
    """Of the AUROC and of average precision, by name."""
    kind, rows = held_out.kind, float(sums[3 * len(support)].sum())
    parts = np.split(sums[-2 * len(support) :], 2)
    counted = ranked(support.sum(axis=1), round(rows), several=kind.several)
    return {
        name: Shares(part[columns], support[columns])
        for name, part, columns in zip(("auroc", "average_precision"), parts, counted, strict=True)
        if len(columns)
    }
