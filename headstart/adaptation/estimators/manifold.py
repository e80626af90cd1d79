"""Manifold regularisation: answers that change little along the data of both tasks (Belkin et al., 2006, LapRLS).

    f = argmin 1/l sum_i (f(x_i) - y_i)^2 + ridge |f|^2 + smooth f'L f
    linear    f = X w + b,    (X'J X + ridge l I + smooth l X'L X) w = X'J y
    rbf       f = K a + b,    (J K + ridge l I + smooth l L K) a = J y

J: the l labelled rows of N; L: of the graph that joins each row, of either task, to its nearest, scaled so that f'L f
is half the mean (f_i - f_j)^2 over joined rows; b: mean answer. Classes: +1 and -1, one against the rest.
Use it where classes are clouds that reach from one task into the other. Not where a cloud of the target lies nearer
to another class of the source. rbf holds N x N numbers and takes N^3 operations, on `most` rows N x most and most^3;
linear stays in d. The graph takes N^2 d operations in blocks of rows beyond some 15 columns, and N numbers a neighbour.
"""

from __future__ import annotations

from typing import Any, Self, cast

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from headstart.adaptation.alignment.step import Domains
from headstart.adaptation.estimators.laplacian import Answer, laplacian, linear, needed, on_landmarks, rbf
from headstart.adaptation.estimators.sample_domain import domains_of
from headstart.checks import above, affordable, whole
from headstart.linalg.kernels import landmarks
from headstart.tasks.task import Array

__all__ = ["LaplacianRegularisedClassifier", "LaplacianRegularisedRegressor"]


class _LaplacianRegularised(BaseEstimator):  # type: ignore[misc]
    """Options and solution.

    kernel          "rbf" or "linear"
    ridge, smooth   weights of the two penalties; above 0, and from 0
    neighbours      how many nearest rows each row is joined to
    gamma           of the rbf kernel, above 0; None: 1 / (d x variance of X)
    target_labels   whether known answers of target rows are learnt from as well
    most            rows that the rbf kernel stands on (Nystroem), half from each task; None: all
    limit           most memory of the rbf kernel, in GB; more is refused before any work
    seed            of the draw of `most` rows
    """

    def __init__(
        self,
        kernel: str = "rbf",
        *,
        ridge: float = 1e-3,
        smooth: float = 1.0,
        neighbours: int = 10,
        gamma: float | None = None,
        target_labels: bool = False,
        most: int | None = None,
        limit: float = 2.0,
        seed: int = 0,
    ) -> None:
        self.kernel = kernel
        self.ridge = ridge
        self.smooth = smooth
        self.neighbours = neighbours
        self.gamma = gamma
        self.target_labels = target_labels
        self.most = most
        self.limit = limit
        self.seed = seed

    def _check(self) -> None:
        whole("neighbours", self.neighbours, 1)
        if self.most is not None:
            whole("most", self.most, 1, "300, or None for all rows")
        if self.kernel not in ("rbf", "linear"):
            raise ValueError(f'kernel is {self.kernel!r}: expected "rbf" or "linear"')
        above("limit", self.limit, 0, "2")
        above("ridge", self.ridge, 0, "0.1")
        above("smooth", self.smooth, 0, "0.1", equal=True)
        if self.gamma is not None:
            above("gamma", self.gamma, 0, "0.5, or None for the columns' variance")

    def _solved(self, domains: Domains, answers: Array, target_answers: Array) -> Answer:
        """From answers (n, k) of source rows and those of target rows (m, k), NaN where they are not to be used."""
        rows = np.vstack([domains.source, domains.target])
        both = np.vstack([answers, target_answers])
        labelled = np.flatnonzero(np.isfinite(both).all(1))
        if self.kernel == "rbf":
            what = f'kernel="rbf" on {len(rows)} rows'
            less = 'set most= lower, such as most=300 (Nystroem), or take kernel="linear"'
            affordable(needed(len(rows), self.most), self.limit, what, less)
        L = laplacian(rows, self.neighbours)
        if self.kernel == "linear":
            return linear(rows, both[labelled], labelled, L, (self.ridge, self.smooth))
        gamma = 1 / (rows.shape[1] * (rows.var() or 1.0)) if self.gamma is None else self.gamma
        pulls = self.ridge, self.smooth, gamma
        if self.most is None:
            return rbf(rows, both[labelled], labelled, L, pulls)
        z = landmarks(domains.source, domains.target, self.most, self.seed)
        return on_landmarks(rows, (both[labelled], labelled), L, pulls, z)

    def _found(self, X: Any) -> Array:
        check_is_fitted(self)
        return cast(Array, self.answer_(validate_data(self, X, dtype=np.float64, reset=False)))


class LaplacianRegularisedRegressor(RegressorMixin, _LaplacianRegularised):  # type: ignore[misc]
    __doc__ = f"A regression of the target, smooth along the rows of both tasks.\n\n{_LaplacianRegularised.__doc__}"

    def fit(self, X: Any, y: Any, *, sample_domain: Any = None) -> Self:
        """X (N, d), y (N,) or (N, k), NaN where a target row's is not known."""
        self._check()
        domains = domains_of(self, X, y, sample_domain, self.target_labels)
        target_answers = cast(Array, domains.known)
        self.flat_ = domains.targets.ndim == 1
        answers, target_answers = (a.reshape(len(a), -1) for a in (domains.targets, target_answers))
        self.answer_ = self._solved(domains, answers, target_answers)
        return self

    def predict(self, X: Any) -> Array:
        """(N,) or (N, k) for target rows."""
        values = self._found(X)
        return values[:, 0] if self.flat_ else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class LaplacianRegularisedClassifier(ClassifierMixin, _LaplacianRegularised):  # type: ignore[misc]
    __doc__ = f"A classifier of the target, smooth along the rows of both tasks.\n\n{_LaplacianRegularised.__doc__}"

    def fit(self, X: Any, y: Any, *, sample_domain: Any = None) -> Self:
        """X (N, d), y (N,) classes, -1 where a target row's is not known."""
        self._check()
        domains = domains_of(self, X, y, sample_domain, self.target_labels)
        signs = np.vstack([2.0 * np.eye(domains.classes) - 1, np.full(domains.classes, np.nan)])
        self.answer_ = self._solved(domains, signs[domains.targets], signs[cast(Array, domains.known)])
        return self

    def decision_function(self, X: Any) -> Array:
        """(N,) for two classes, positive for the second, else (N, C)."""
        values = self._found(X)
        return values[:, 1] if values.shape[1] == 2 else values

    def predict(self, X: Any) -> Array:
        """(N,) classes of target rows."""
        values = self._found(X)
        return cast(Array, self.classes_[values.argmax(1)])
