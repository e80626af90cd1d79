"""Parameters drawn to those of a source model: L2-SP in closed form (Chelba and Acero, 2004; Li et al., 2018).

    regression        b = argmin |X b - y|^2 + lambda |b - b0|^2,    (X'X + lambda I) b = X'y + lambda b0
    classification    W = argmin sum_i -log p(y_i | x_i; W) + lambda / 2 |W - W0|^2

X: labelled target rows and a column of ones, so the intercept is drawn too; b0, W0: the source model's.
Use it with a few labelled target rows and a source whose answer is nearly right: lambda = inf is the source model,
lambda = 0 the target's own (of several, the one nearest to the source). Not where the answer is of another shape.
"""

from __future__ import annotations

from typing import Any, Self, cast

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.validation import check_is_fitted, validate_data

from headstart.adaptation.estimators.logistic import logits, pulled
from headstart.adaptation.estimators.source_model import change, start, strength
from headstart.tasks.task import Array

__all__ = ["L2SPClassifier", "L2SPRegressor"]


class L2SPRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A linear regression of the target, drawn to the source's; several answers a row will do.

    penalty   lambda, from 0 to inf
    source    linear model to fit on the source rows; None: Ridge(). FrozenEstimator(model): as it is, and then `fit`
              may be given target rows alone, without sample_domain
    """

    def __init__(self, penalty: float = 1.0, *, source: Any = None) -> None:
        self.penalty = penalty
        self.source = source

    def fit(self, X: Any, y: Any, *, sample_domain: Any = None) -> Self:
        """X (N, d), y (N,) or (N, k), NaN where not known. Raises ValueError without a labelled target row."""
        penalty = strength(self.penalty)
        rows, answers, slopes, offsets = start(
            self, Ridge(copy_X=False) if self.source is None else self.source, (X, y, sample_domain)
        )
        w, b = change(rows, answers - (rows @ slopes + offsets), penalty, 1.0)
        flat = np.asarray(y).ndim == 1
        self.coef_ = (slopes + w)[:, 0] if flat else (slopes + w).T
        self.intercept_ = float((offsets + b)[0]) if flat else offsets + b
        return self

    def predict(self, X: Any) -> Array:
        """(N,) or (N, k) for target rows."""
        check_is_fitted(self)
        return cast(Array, validate_data(self, X, dtype=np.float64, reset=False) @ self.coef_.T + self.intercept_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class L2SPClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A logistic regression of the target, drawn to the source's: one vector for two classes, else one a class.

    penalty   lambda, from 0 to inf
    source    linear classifier to fit on the source rows; None: LogisticRegression(). FrozenEstimator(model): as it
              is, and then `fit` may be given target rows alone, without sample_domain
    """

    def __init__(self, penalty: float = 1.0, *, source: Any = None) -> None:
        self.penalty = penalty
        self.source = source

    def fit(self, X: Any, y: Any, *, sample_domain: Any = None) -> Self:
        """X (N, d), y (N,) classes, -1 where not known. Raises ValueError without a labelled target row."""
        penalty = strength(self.penalty)
        model = LogisticRegression(max_iter=1000) if self.source is None else self.source
        rows, codes, slopes, offsets = start(self, model, (X, y, sample_domain))
        w, b = pulled(rows, np.eye(len(self.classes_))[codes], (slopes, offsets), penalty)
        self.coef_, self.intercept_ = w.T, b
        return self

    def decision_function(self, X: Any) -> Array:
        """(N,) for two classes, else (N, C)."""
        check_is_fitted(self)
        scores = validate_data(self, X, dtype=np.float64, reset=False) @ self.coef_.T + self.intercept_
        return cast(Array, scores[:, 0] if len(self.classes_) == 2 else scores)

    def predict_proba(self, X: Any) -> Array:
        """(N, C) for target rows, columns as in `classes_`."""
        scores = self.decision_function(X)
        return softmax(logits(scores.reshape(len(scores), -1)), axis=1)

    def predict(self, X: Any) -> Array:
        """(N,) classes of target rows."""
        shares = self.predict_proba(X)
        return cast(Array, self.classes_[shares.argmax(1)])
