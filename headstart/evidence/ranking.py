"""How well probabilities rank rows: the area under the ROC curve, and average precision, one class against the rest.

For a class with P rows and N others, r_i the share of the others that rank below row i of the class (half of those that
rank alike), and q_i the share of the class among the rows that rank as high as row i of the class or higher:

    AUROC = 1/P sum_i r_i  (Hanley and McNeil, 1982)        AP = 1/P sum_i q_i        i over rows of the class

Both are means over the classes that have rows and others; average precision of two classes is that of the rarer one,
of equals the second. Each is scikit-learn's. NaN where no class has both.

A rank changes with every row that is drawn, so neither is a sum over rows. Resamples are scored by what each row adds
to first order (Efron, 1982, chapter 6): with D_j the derivative of the score by the weight of row j,

    score(w) = score + sum_j w_j D_j,    stored as the mean of v_j = score + n D_j

For the AUROC these are the components of DeLong, DeLong and Clarke-Pearson (1988).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit
from scipy.stats import rankdata

from headstart.evidence.held_out import HeldOut
from headstart.tasks.task import Array

__all__ = ["Ranking", "on_logits", "ranked", "ranking"]


class Ranking(NamedTuple):
    """Of N rows and C classes.

    auroc, precision    (N,) what each row adds; their means are the two scores
    above, purity       (N, C) r and q as above for rows of a class, 0 for others and for classes that do not count
    """

    auroc: Array
    precision: Array
    above: Array
    purity: Array


def ranking(held_out: HeldOut, predictions: Array) -> Ranking:
    """Of probabilities (N, C)."""
    rows, classes = predictions.shape
    targets = held_out.targets
    truth = targets > 0 if held_out.kind.several else targets[:, None] == np.arange(classes)
    counts = truth.sum(axis=0)
    counted = ranked(counts, rows, several=held_out.kind.several)
    result = Ranking(*(np.full(rows, np.nan) for _ in range(2)), *(np.zeros((rows, classes)) for _ in range(2)))
    for scores, columns, of_row, of_class in (
        (_areas, counted[0], result.auroc, result.above),
        (_purities, counted[1], result.precision, result.purity),
    ):
        if len(columns):
            of_row[:] = 0.0
        for column in columns:
            share, derivative = scores(predictions[:, column], truth[:, column])
            of_class[truth[:, column], column] = share
            of_row += (share.mean() + rows * derivative) / len(columns)
    return result


def ranked(counts: Array, rows: int, *, several: bool) -> tuple[Array, Array]:
    """The classes of which the AUROC, and those of which average precision, is the mean; counts (C,) of rows each."""
    known = np.flatnonzero((counts > 0) & (counts < rows))
    if several or len(counts) != 2 or not len(known):
        return known, known
    return known, known[[int(counts[1] <= counts[0])]]


def on_logits(value: float, resampled: Array) -> Array:
    """Resampled scores (B,), which are linear in the rows drawn, on the scale of log odds: these have no bounds, so
    that the spread of a score near 1 is not taken to be alike on both sides.

        s* = 1 / (1 + exp(-logit(s) - (s* - s) / (s (1 - s))))
    """
    if not 0 < value < 1:
        return resampled
    odds = np.log(value) - np.log1p(-value) + (resampled - value) / (value * (1 - value))
    return np.asarray(expit(odds))


def _areas(p: Array, truth: Array) -> tuple[Array, Array]:
    """(P,) r of the rows of the class, and (N,) the derivative of the area."""
    own, other, rank = int(truth.sum()), int((~truth).sum()), rankdata(p)
    below = (rank[truth] - rankdata(p[truth])) / other
    above = 1 - (rank[~truth] - rankdata(p[~truth])) / own
    area = below.mean()
    derivative = np.empty(len(p))
    derivative[truth], derivative[~truth] = (below - area) / own, (above - area) / other
    return below, derivative


def _purities(p: Array, truth: Array) -> tuple[Array, Array]:
    """(P,) q of the rows of the class, and (N,) the derivative of their mean."""
    values, place = np.unique(-p, return_inverse=True)  # the highest first
    own = np.bincount(place, truth, len(values))
    right, wrong = np.cumsum(own), np.cumsum(np.bincount(place, ~truth, len(values)))
    total, rows = right + wrong, own.sum()
    purity = right / total
    # What a further row does to all rows that rank as high as it or lower, itself included.
    gained = np.cumsum((own * wrong / total**2)[::-1])[::-1]
    lost = np.cumsum((own * right / total**2)[::-1])[::-1]
    mean = float(own @ purity) / rows
    derivative = np.where(truth, purity[place] - mean + gained[place], -lost[place]) / rows
    return purity[place][truth], derivative
