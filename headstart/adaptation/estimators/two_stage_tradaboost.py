"""Boosting for regression in two stages (Pardoe and Stone, 2010): how much the source counts, then what in the target.

    for t = 0 .. S - 1    H_t = AdaBoost.R2 of N rounds in which the weights of source rows stand still
                          error_t = mean |H_t - y| over F folds of the labelled target rows
                          e_i = |H_t(x_i) - y_i| / max;    source w <- w beta_t^e
    beta_t                so that the target rows weigh m / (n + m) + t / (S - 1) (1 - m / (n + m)) of all
    answer                H_t of the least error_t

Use it where TrAdaBoostR2 forgets too much of the source. It fits S x N x (F + 1) learners: small ones are best. With
`held="learner"` error_t is that of a first learner alone, which takes S x (N + F).
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from scipy.optimize import brentq
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.validation import check_is_fitted, validate_data

from headstart.adaptation.estimators.boosting_rounds import Both, both_of, fitted, halved, relative, weighted_median
from headstart.checks import whole
from headstart.tasks.task import Array

__all__ = ["TwoStageTrAdaBoostR2"]

_MOST = 700.0


class TwoStageTrAdaBoostR2(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """The boosted model of the stage that the labelled target rows, held out in turn, like best.

    estimator   regressor that takes sample_weight; None: a tree of depth 3
    stages      S: the first weighs all rows alike, the last leaves out all source rows that H_t does not answer exactly
                (of those, beta^0 takes no weight: with a learner that fits every row no stage differs)
    rounds      N, of boosting within a stage
    folds       F, at most one a labelled target row
    held        what is held out for error_t: "stage", H_t itself (the paper's), or "learner", one that is not boosted
    seed        of the folds; None: rows that follow each other

    After `fit`: `errors_` (S,) in units of y, `shares_` (S,) of the target in all weights, `stage_` the one chosen.
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        stages: int = 10,
        rounds: int = 10,
        folds: int = 5,
        held: str = "stage",
        seed: int | None = 0,
    ) -> None:
        self.estimator = estimator
        self.stages = stages
        self.rounds = rounds
        self.folds = folds
        self.held = held
        self.seed = seed

    def fit(self, X: Any, y: Any, *, sample_domain: Any = None) -> Self:
        """X (N, d), y (N,), NaN where not known. Raises ValueError with fewer than two labelled target rows."""
        whole("stages", self.stages, 1)
        whole("rounds", self.rounds, 1)
        whole("folds", self.folds, 2)
        if self.held not in ("stage", "learner"):
            raise ValueError(f"held = {self.held!r}: expected stage or learner")
        learner = DecisionTreeRegressor(max_depth=3, random_state=0) if self.estimator is None else self.estimator
        both = both_of(self, learner, (X, y, sample_domain))
        m = len(both.rows) - both.n
        if m < 2:
            raise ValueError("one target row has a known answer: two stages need 2 to hold out; take TrAdaBoostR2")
        fold, apart = _folds(m, min(self.folds, m), self.seed), self.rounds if self.held == "stage" else 1
        weights, models, errors, shares = np.ones(len(both.rows)), [], [], []
        for t in range(self.stages):
            shares.append(weights[both.n :].sum() / weights.sum())
            errors.append(_held_out(learner, both, weights, fold, apart))
            models.append(_stage(learner, both, weights, self.rounds))
            e = relative(models[-1].predict(both.rows), both.answers)[: both.n]
            share = m / len(weights) + (t + 1) / max(self.stages - 1, 1) * (1 - m / len(weights))
            weights[: both.n] *= np.exp(-_steep(weights[: both.n], e, m * (1 - share) / share) * e)
        self.errors_, self.shares_ = np.array(errors), np.array(shares)
        self.stage_ = int(self.errors_.argmin())
        self.model_ = models[self.stage_]
        return self

    def predict(self, X: Any) -> Array:
        """(N,) for target rows."""
        check_is_fitted(self)
        return self.model_.predict(validate_data(self, X, dtype=np.float64, reset=False))


class _Boosted(NamedTuple):
    """Learners and their votes."""

    learners: list[Any]
    votes: Array

    def predict(self, rows: Array) -> Array:
        """(N,) weighted medians."""
        return weighted_median(np.stack([learner.predict(rows) for learner in self.learners], 1), self.votes)


def _folds(rows: int, count: int, seed: int | None) -> Array:
    """(rows,) of about the same size."""
    if seed is None:
        return np.arange(rows) * count // rows
    return np.random.default_rng(seed).permutation(rows) % count


def _stage(learner: Any, both: Both, weights: Array, rounds: int) -> _Boosted:
    """AdaBoost.R2 on the target rows: the well answered lose weight to the others; the source stays as it is."""
    rows, answers, n = both
    weights, total, learners, votes = weights.copy(), weights[n:].sum(), [], []
    for _ in range(rounds):
        model, predictions = fitted(learner, rows, answers, weights / weights.mean())
        learners.append(model)
        e = relative(predictions, answers)
        beta = halved(float(weights @ e / weights.sum()))
        votes.append(-np.log(beta))
        weights[n:] *= beta ** (1 - e[n:])
        weights[n:] *= total / weights[n:].sum()
    return _Boosted(learners, np.array(votes))


def _held_out(learner: Any, both: Both, weights: Array, fold: Array, rounds: int) -> float:
    """Mean distance to labelled target rows, each answered by a model that has not seen it."""
    rows, answers, n = both
    far = np.zeros(len(fold))
    for f in range(fold.max() + 1):
        out, learnt = fold == f, np.append(np.ones(n, dtype=bool), fold != f)
        weights_of_learnt = weights[learnt]
        weights_of_learnt[n:] *= len(fold) / (~out).sum()
        model = _stage(learner, Both(rows[learnt], answers[learnt], n), weights_of_learnt, rounds)
        far[out] = np.abs(model.predict(rows[n:][out]) - answers[n:][out])
    return float(far.mean())


def _steep(weights: Array, e: Array, wanted: float) -> float:
    """s = -log beta, 0 or more, at which source weights w exp(-s e) sum to what is wanted, as nearly as they can."""

    def left(s: float) -> float:
        return float(weights @ np.exp(-s * e) - wanted)

    most = _MOST / float(e[e > 0].min(initial=1.0))
    if left(0.0) <= 0:
        return 0.0
    if wanted <= 0 or left(most) >= 0:
        return most
    high = 1.0
    while left(high) > 0:
        high *= 2
    return float(brentq(left, 0.0, high))
