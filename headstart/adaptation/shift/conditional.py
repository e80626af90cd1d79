"""With some target labels: do answers go with features as they did in the source?

    y | x      r = y - E[y | x],  e = D - E[D | x]          D: 1 for a target row; forests over both tasks
               T_k = sum_i f_k(x_i) r_i e_i / sqrt(sum_i (f_k(x_i) r_i e_i)^2),  f: 1, and a forest of the source
               (generalised covariance measure, Shah and Peters, 2020; weighted: Scheidegger et al., 2022)
    x | y      the kernel test of source against target within each class; p-values joined by Fisher's method

Under covariate shift alone the first holds, under label shift alone the second; where neither does, the conditional
moved. Only rows that both tasks have the like of count in the first: there e is not 0. It needs 10 known rows, and in
simulations refutes a truth twice as often as its level says, because forests smooth.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.ensemble import ExtraTreesRegressor

from headstart.adaptation.shift.two_sample import mmd
from headstart.tasks.task import Array

__all__ = ["Conditional", "conditional"]

_FEWEST = 10
_MOST = 2000
_FLIPS = 2000
_NOWHERE = 1e-6


class Conditional(NamedTuple):
    """p-values that y | x, and x | y, are those of the source (NaN: could not be tested), from how many known rows."""

    answers: float
    features: float
    rows: int


def conditional(source: Array, y: Array, target: Array, y_target: Array, *, seed: int = 0) -> Conditional:
    """source (n, d), y (n, K): indicators of classes, or one column of values; target (m, d), y_target (m, K)."""
    if len(target) < _FEWEST:
        return Conditional(math.nan, math.nan, len(target))
    random = np.random.default_rng(seed)
    some = random.permutation(len(source))[:_MOST]
    source, y = source[some], y[some]
    return Conditional(
        _answers(source, y, target, y_target, random), _features(source, y, target, y_target, seed), len(target)
    )


def _answers(source: Array, y: Array, target: Array, y_target: Array, random: np.random.Generator) -> float:
    rows, both = np.concatenate([source, target]), np.concatenate([y, y_target])
    of_target = np.arange(len(rows)) >= len(source)
    expected = _out_of_bag(rows, both)
    domain = _out_of_bag(rows, of_target[:, None].astype(np.float64))
    predicted = np.concatenate([_out_of_bag(source, y), _forest(source, y).predict(target).reshape(len(target), -1)])
    apart: Array = of_target[:, None] - domain
    if np.abs(apart).max() < _NOWHERE:
        return math.nan  # one column tells the tasks apart: no row of one has its like in the other
    product = (both - expected) * apart
    parts = np.concatenate([product, product * (predicted - predicted.mean(axis=0))], axis=1)
    parts = parts[:, (parts**2).sum(axis=0) > 1e-12]
    if not parts.shape[1]:
        return 1.0
    scale = np.sqrt((parts**2).sum(axis=0))
    statistic = np.abs(parts.sum(axis=0) / scale).max()
    null = np.abs(random.choice([-1.0, 1.0], (_FLIPS, len(parts))) @ parts / scale).max(axis=1)
    return float((1 + (null >= statistic).sum()) / (1 + _FLIPS))


def _features(source: Array, y: Array, target: Array, y_target: Array, seed: int) -> float:
    """Within each class, or each third of the answers of a regression, that has three rows or more in both."""
    if y.shape[1] == 1:
        ends = np.quantile(y[:, 0], [1 / 3, 2 / 3])
        kinds, theirs = np.searchsorted(ends, y[:, 0]), np.searchsorted(ends, y_target[:, 0])
    else:
        kinds, theirs = y.argmax(axis=1), y_target.argmax(axis=1)
    both = [c for c in np.unique(kinds) if min((kinds == c).sum(), (theirs == c).sum()) >= 3]
    levels = [mmd(source[kinds == c], target[theirs == c], seed=seed).p for c in both]
    return float(stats.combine_pvalues(levels, method="fisher").pvalue) if levels else math.nan


def _forest(rows: Array, y: Array) -> ExtraTreesRegressor:
    forest = ExtraTreesRegressor(100, min_samples_leaf=2, bootstrap=True, oob_score=True, random_state=0)
    return forest.fit(rows, y[:, 0] if y.shape[1] == 1 else y)


def _out_of_bag(rows: Array, y: Array) -> Array:
    return np.asarray(_forest(rows, y).oob_prediction_).reshape(y.shape)
