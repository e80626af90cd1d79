"""Boosting over two tasks: target rows gain weight where they are missed, source rows lose it (Dai et al., 2007).

    each round    h_t fits both tasks with weights w;    e_i = [h_t(x_i) != y_i],  R2: |h_t(x_i) - y_i| / max
                  eps = sum over target of w e / sum of w;    beta_t = eps / (1 - eps),  R2: eps / (2 - eps)
    then          source w <- w beta^e,  beta = 1 / (1 + sqrt(2 ln n / N));    target w <- w beta_t^-e

The later half of the N rounds votes with log(1 / beta_t); regression (Pardoe and Stone, 2010): weighted median. There
the loss counts half, so that beta_t < 1 in every round; with C classes beta_t = eps / ((1 - eps)(C - 1)).
Use it where part of the source agrees with some tens of labelled target rows. Not with two or three of them, nor
where the whole source says the opposite: rounds worse than chance on the target (`errors_`) barely change weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, cast

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.validation import check_is_fitted, validate_data

from headstart.adaptation.estimators.boosting_rounds import Round, boosted, both_of, halved, relative, weighted_median
from headstart.checks import whole
from headstart.tasks.task import Array

__all__ = ["TrAdaBoost", "TrAdaBoostR2"]


class TrAdaBoost(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Boosting for classes: source rows that contradict the labelled target rows fade.

    estimator   classifier that takes sample_weight; None: a tree of depth 3
    rounds      N, each one fit on all labelled rows

    After `fit`: `errors_` (N,) weighted error on the target a round, `weights_` (n + m,) of the last round.
    """

    def __init__(self, estimator: Any = None, *, rounds: int = 10) -> None:
        self.estimator = estimator
        self.rounds = rounds

    def fit(self, X: Any, y: Any, *, sample_domain: Any = None) -> Self:
        """X (N, d), y (N,) classes, -1 where not known. Raises ValueError without a labelled target row."""
        whole("rounds", self.rounds, 1)
        learner = DecisionTreeClassifier(max_depth=3, random_state=0) if self.estimator is None else self.estimator
        both = both_of(self, learner, (X, y, sample_domain))
        C = len(self.classes_)

        def odds(eps: float) -> float:
            # a round no better than chance has next to no vote, and the source rows that it misses fade all the same
            eps = min(max(eps, 1e-10), 0.99 * (1 - 1 / C))
            return eps / ((1 - eps) * (C - 1))

        _keep(self, boosted(learner, both, self.rounds, lambda codes: (codes != both.answers) * 1.0, odds))
        return self

    def predict_proba(self, X: Any) -> Array:
        """(N, C) share of the vote for target rows, columns as in `classes_`."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        share = np.zeros((len(X), len(self.classes_)))
        for learner, vote in zip(self.learners_, self.votes_ / self.votes_.sum(), strict=True):
            share[np.arange(len(X)), learner.predict(X)] += vote
        return share

    def predict(self, X: Any) -> Array:
        """(N,) classes of target rows."""
        shares = self.predict_proba(X)
        return cast(Array, self.classes_[shares.argmax(1)])


class TrAdaBoostR2(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Boosting for regression: source rows far from what the labelled target rows say fade.

    estimator   regressor that takes sample_weight; None: a tree of depth 3
    rounds      N, each one fit on all labelled rows

    After `fit`: `errors_` (N,) weighted loss on the target a round, `weights_` (n + m,) of the last round.
    """

    def __init__(self, estimator: Any = None, *, rounds: int = 10) -> None:
        self.estimator = estimator
        self.rounds = rounds

    def fit(self, X: Any, y: Any, *, sample_domain: Any = None) -> Self:
        """X (N, d), y (N,), NaN where not known. Raises ValueError without a labelled target row."""
        whole("rounds", self.rounds, 1)
        learner = DecisionTreeRegressor(max_depth=3, random_state=0) if self.estimator is None else self.estimator
        both = both_of(self, learner, (X, y, sample_domain))
        _keep(self, boosted(learner, both, self.rounds, lambda values: relative(values, both.answers), halved))
        return self

    def predict(self, X: Any) -> Array:
        """(N,) weighted medians for target rows."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return weighted_median(np.stack([learner.predict(X) for learner in self.learners_], 1), self.votes_)


def _keep(estimator: Any, rounds: Iterable[Round]) -> None:
    """The later half of the rounds, and what there is to know about all."""
    done = list(rounds)
    estimator.errors_ = np.array([round_.error for round_ in done])
    estimator.weights_ = done[-1].weights
    estimator.learners_ = [round_.learner for round_ in done[len(done) // 2 :]]
    estimator.votes_ = -np.log([round_.beta for round_ in done[len(done) // 2 :]])
