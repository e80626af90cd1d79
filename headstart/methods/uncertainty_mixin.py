"""Sets, intervals and flags, as methods of a scikit-learn estimator."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from headstart.linalg.blas import one_thread
from headstart.methods.doubts import conformity_stored, distribution_stored
from headstart.tasks.task import Array
from headstart.uncertainty.conformal import ScoreName
from headstart.uncertainty.out_of_distribution import RATE
from headstart.uncertainty.quantile import share_of

if TYPE_CHECKING:
    from headstart.artefact.model import Model
    from headstart.heads.head import Features

__all__ = ["UncertaintyMixin"]


class UncertaintyMixin:
    """What an estimator with a fitted `model_` knows of its own uncertainty."""

    model_: Model

    @abstractmethod
    def _answer(self, X: Any) -> Array:
        """(N, C) probabilities, or (N,) values."""

    @abstractmethod
    def transform(self, X: Any) -> Features:
        """(N, D) features."""

    def predict_set(self, X: Any, coverage: float = 0.9, *, score: ScoreName = "lac", per_class: bool = True) -> Array:
        """(N, C) bool: the classes, in the order of `classes_`, of sets that hold the true one with a probability of at
        least `coverage`; multilabel: all true ones. See `uncertainty.conformal` for the scores.

        per_class   with a threshold for each class that has enough rows, so that the coverage holds of each

        Raises DataError where the model stores no scores, ValueError for a coverage that is no share.
        """
        check_is_fitted(self, "model_")
        share_of(coverage)
        scores = conformity_stored(self.model_)
        scores.check(coverage, score)
        return scores.sets(self._answer(X), coverage, score, per_class=per_class)

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """(N, 2) lower and upper ends, between which the true value lies with a probability of at least `coverage`.
        Raises as `predict_set` does."""
        check_is_fitted(self, "model_")
        share_of(coverage)
        scores = conformity_stored(self.model_)
        scores.half_width(coverage)
        return scores.intervals(self._answer(X), coverage)

    def out_of_distribution(self, X: Any, rate: float = RATE) -> Array:
        """(N,) bool: inputs that are unlike all that the model learnt from.

        rate   the share of inputs like those of the training that are called so too

        Raises DataError where the model does not store what it learnt from.
        """
        check_is_fitted(self, "model_")
        share_of(rate, "the rate of false alarms")
        distribution = distribution_stored(self.model_)
        rows = np.asarray(self.transform(X))
        with one_thread():
            return distribution.flags(rows, rate)
