"""Domain-adaptive regression: features of both tasks, slopes drawn to the source's, an offset of the target's own.

    f(x) = phi(x)'w + b,    (w, b) = argmin sum_i (phi(x_i)'w + b - y_i)^2 + lambda |w - w0|^2

i: labelled target rows; phi: the columns as they are, or any transformer such as random Fourier features or Nystroem,
fitted on the rows of both tasks; w0: the source model's (Evgeniou and Pontil, 2004, with one task known before).
Use it where target answers are those of the source shifted by a constant (another instrument, another year), or bent
a little: b is not drawn, so one labelled row already moves it. Not where the slopes have another sign.
"""

from __future__ import annotations

from typing import Any, Self, cast

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import Ridge
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted, validate_data

from headstart.adaptation.estimators.source_model import change, start, strength
from headstart.tasks.task import Array

__all__ = ["DomainAdaptiveRegressor"]


class DomainAdaptiveRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A regression of the target whose slopes are drawn to the source's and whose offset is free.

    penalty    lambda, from 0 to inf; at inf the source model with its offset corrected
    features   transformer, for example Nystroem(n_components=200); None: the columns as they are
    source     linear model to fit on the features of source rows; None: Ridge()
    """

    def __init__(self, penalty: float = 1.0, *, features: Any = None, source: Any = None) -> None:
        self.penalty = penalty
        self.features = features
        self.source = source

    def fit(self, X: Any, y: Any, *, sample_domain: Any = None) -> Self:
        """X (N, d), y (N,) or (N, k), NaN where not known. Raises ValueError without a labelled target row."""
        penalty = strength(self.penalty)
        self.features_ = clone(FunctionTransformer() if self.features is None else self.features)
        phi = self.features_.fit_transform(validate_data(self, X, dtype=np.float64))
        rows, answers, slopes, offsets = start(
            self, Ridge(copy_X=False) if self.source is None else self.source, (phi, y, sample_domain)
        )
        validate_data(self, X, skip_check_array=True)
        residual = answers - (rows @ slopes + offsets)
        middle = rows.mean(0)
        rows -= middle
        w, _ = change(rows, residual - residual.mean(0), penalty)
        b = offsets + residual.mean(0) - middle @ w
        flat = np.asarray(y).ndim == 1
        self.coef_ = (slopes + w)[:, 0] if flat else (slopes + w).T
        self.intercept_ = float(b[0]) if flat else b
        return self

    def predict(self, X: Any) -> Array:
        """(N,) or (N, k) for target rows."""
        check_is_fitted(self)
        phi = self.features_.transform(validate_data(self, X, dtype=np.float64, reset=False))
        return cast(Array, phi @ self.coef_.T + self.intercept_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
