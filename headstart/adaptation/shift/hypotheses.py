"""Three hypotheses of how the target came from the source, each fitted and then tested: does it make the target's rows?

    label      p_t(x) = sum_c q_c p_s(x | c)            the source's classes in other shares q: C - 1 numbers
    covariate  p_t(x) = w(x) p_s(x)                      log w = a + b'x + x'Bx, by logistic regression of the domain; B
                         of the first 20 principal axes where there are more columns
    moved      x_t = m_t + S (x_s - m_s)                 the source shifted and stretched (with S the linear transport
                                                         map of two Gaussians; column by column for few rows).
                         Estimated, so that sharp edges (amounts that start at 0) refute it though it be true

A story stands where neither two-sample test tells what it makes from the target. q solves mean_t f = sum_c q_c
mean_{s, c} f, with f the class probabilities of a forest on rows that it did not see (black-box shift estimation,
Lipton et al., 2018), q >= 0. Classes of a regression are fifths of the source's answers.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from scipy.optimize import nnls
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from headstart.adaptation.shift.two_sample import classifier_test, mmd
from headstart.evidence.intervals import Draws, Interval, interval
from headstart.tasks.task import Array

__all__ = ["Hypothesis", "covariate", "label", "label_shares", "log_ratios", "moved"]

LEVEL = 0.05
_DRAWS = 200
_FEWEST = 10
_SQUARES = 20
_MOST = 2000


class Hypothesis(NamedTuple):
    """p: that what it makes differs from the target as little as it does, corrected for the tests made; NaN: not done.

    rows: how many source rows the tests had in effect, after weighing.
    """

    name: Literal["label", "covariate", "moved"]
    p: float
    rows: float

    @property
    def stands(self) -> bool:
        """Whether it was tested and not refuted."""
        return self.p >= LEVEL


def label_shares(source: Array, codes: Array, target: Array, *, seed: int = 0) -> tuple[Interval, ...]:
    """The share of each class 0..C-1 in the target, with its interval, if only shares changed (n, d), (n,), (m, d)."""
    random = np.random.default_rng(seed)
    classes = int(codes.max()) + 1
    forest = ExtraTreesClassifier(100, min_samples_leaf=3, bootstrap=True, oob_score=True, random_state=seed)
    forest.fit(source, codes)
    present, out_of_bag = np.unique(codes), np.isfinite(forest.oob_decision_function_).all(axis=1)
    of_source, of_target, codes = (
        forest.oob_decision_function_[out_of_bag],
        forest.predict_proba(target),
        codes[out_of_bag],
    )

    def solved(some: tuple[Array, Array], theirs: Array) -> Array:
        means = np.stack([some[0][some[1] == c].mean(axis=0) for c in present], axis=1)
        # The last row holds the sum to 1, so that a share is not stretched where the classes are hard to tell.
        shares_of_present, _ = nnls(np.vstack([means, np.ones(len(present))]), np.append(theirs.mean(axis=0), 1.0))
        return np.asarray(shares_of_present / shares_of_present.sum())

    value = solved((of_source, codes), of_target)
    drawn = np.stack([solved(*_resampled(of_source, codes, of_target, random)) for _ in range(_DRAWS)])
    shares = [Interval(0.0, 0.0, 0.0)] * classes
    for place, code in enumerate(present):
        shares[code] = interval(Draws(float(value[place]), drawn[:, place], len(target), (0.0, 1.0)))
    return tuple(shares)


def label(source: Array, codes: Array, target: Array, shares: tuple[Interval, ...], *, seed: int = 0) -> Hypothesis:
    """The source's classes in the shares found."""
    had = np.bincount(codes, minlength=len(shares)) / len(codes)
    weights = (np.array([share.value for share in shares]) / np.maximum(had, 1e-12))[codes]
    return _tested("label", source, target, weights, seed)


def covariate(source: Array, target: Array, *, seed: int = 0) -> Hypothesis:
    """The source weighed by a smooth function of its columns."""
    odds = log_ratios(source, target, seed=seed)
    return _tested("covariate", source, target, np.exp(odds - odds.max()), seed)


def log_ratios(source: Array, target: Array, *, seed: int = 0) -> Array:
    """(n,) log w of the source rows, up to a constant, each from a fit that did not see it."""
    rows, of_target = np.concatenate([source, target]), np.arange(len(source) + len(target)) >= len(source)
    spread = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(spread > 1e-12, spread, np.inf)
    few = rows
    if rows.shape[1] > _SQUARES:
        few = PCA(min(_SQUARES, len(rows) - 1), random_state=seed).fit_transform(rows)
    i, j = np.triu_indices(few.shape[1])
    rows = np.concatenate([rows, few[:, i] * few[:, j]], axis=1)
    folds = StratifiedKFold(min(5, len(source), len(target)), shuffle=True, random_state=seed)
    model = LogisticRegression(max_iter=1000)
    return np.asarray(cross_val_predict(model, rows, of_target, cv=folds, method="decision_function")[: len(source)])


def moved(source: Array, target: Array, *, seed: int = 0) -> Hypothesis:
    """The source with the target's mean and covariance, or its deviations where there are under 10 rows a column."""
    if min(len(source), len(target)) < _FEWEST:
        return Hypothesis("moved", math.nan, len(source))
    centred = source - source.mean(axis=0)
    if min(len(source), len(target)) >= 10 * source.shape[1]:
        cov_s, cov_t = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (source, target))
        values, vectors = np.linalg.eigh(cov_s)
        values = np.maximum(values, 1e-9 * max(values[-1], 1e-300))
        root, inverse = (vectors * values**power @ vectors.T for power in (0.5, -0.5))
        made = centred @ (inverse @ _root(root @ cov_t @ root) @ inverse)
    else:
        spread = source.std(axis=0)
        made = centred * (target.std(axis=0) / np.where(spread > 1e-12, spread, np.inf))
    return _tested("moved", made + target.mean(axis=0), target, None, seed)


def _root(matrix: Array) -> Array:
    """The symmetric square root of a symmetric matrix without values below 0, but for rounding."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def _resampled(
    of_source: Array, codes: Array, of_target: Array, random: np.random.Generator
) -> tuple[tuple[Array, Array], Array]:
    """Rows drawn again, of each class as many as there are."""
    chosen = np.concatenate(
        [random.choice(np.flatnonzero(codes == code), int((codes == code).sum())) for code in np.unique(codes)]
    )
    return (of_source[chosen], codes[chosen]), of_target[random.integers(0, len(of_target), len(of_target))]


def _tested(name: Literal["label", "covariate", "moved"], source: Array, target: Array, weights: Array | None,
            seed: int) -> Hypothesis:  # fmt: skip
    rows = len(source) if weights is None else float(weights.sum() / weights.max())
    if min(rows, len(target)) < _FEWEST:
        return Hypothesis(name, math.nan, rows)
    levels = (
        mmd(source, target, weights=weights, seed=seed).p,
        classifier_test(source, target, weights=weights, most=_MOST, seed=seed).p,
    )
    return Hypothesis(name, min(1.0, 2 * min(levels)), rows)
