"""Any alignment with any estimator of scikit-learn: learn from the source, answer for the target."""

from __future__ import annotations

from typing import Any, Self, cast

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_regressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from headstart.adaptation.alignment.checks import same_rows
from headstart.adaptation.alignment.step import Align, Aligned, unmoved
from headstart.adaptation.estimators.sample_domain import domains_of, weighable
from headstart.tasks.task import Array

__all__ = ["Adapted"]


class Adapted(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Align, fit an estimator on the source rows where they have been moved to, and predict for target rows.

        Adapted(Coral()).fit(X, y, sample_domain=domain).predict(X_new)

    align          a step of `headstart.adaptation`; None: source only
    estimator      of scikit-learn; None: logistic regression
    target_labels  whether labels of target rows may be used

    `fit` takes both tasks as rows of one X, as a pipeline gives them. sample_domain (N,): 1 for a source row, -1 for a
    target row; any positive and negative numbers will do. Answers of target rows are not looked at unless
    `target_labels`; those that are unknown are -1 or NaN. `predict` takes target rows. Where source and target are the
    same rows, and no target label is used, the step is left out, and `facts_` has `identical`. In a pipeline set
    `sklearn.set_config(enable_metadata_routing=True)` and `.set_fit_request(sample_domain=True)`.
    """

    def __init__(self, align: Align | None = None, estimator: Any = None, *, target_labels: bool = False) -> None:
        self.align = align
        self.estimator = estimator
        self.target_labels = target_labels

    def fit(self, X: Any, y: Any, *, sample_domain: Any = None) -> Self:
        """Both tasks at once. Raises ValueError where sample_domain is missing, or only one task is there."""
        self.estimator_ = clone(LogisticRegression(max_iter=1000) if self.estimator is None else self.estimator)
        domains = domains_of(self, X, y, sample_domain, self.target_labels)
        domains = domains if self.target_labels else domains._replace(known=None)
        identical = {"identical": True} if same_rows(domains) else {}
        idle = self.align is None or (identical and not self.target_labels)
        plain = Aligned(domains.source, domains.targets, None, unmoved, {})
        learn, answers, weights, self.move_, facts = (plain if idle else cast(Align, self.align)(domains))[:5]
        self.facts_ = {**facts, **identical}
        if weights is not None:
            weighable(self.estimator_, str(self.align))
        answers = self.classes_[answers.astype(int)] if domains.classes else answers
        self.estimator_.fit(learn, answers, **({} if weights is None else {"sample_weight": weights}))
        return self

    def predict(self, X: Any) -> Array:
        """Answers for target rows."""
        rows = self._moved(X)
        return cast(Array, self.estimator_.predict(rows))

    @available_if(lambda self: self.estimator is None or hasattr(self.estimator, "predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """(N, C) for target rows, columns as in `classes_`."""
        rows = self._moved(X)
        return cast(Array, self.estimator_.predict_proba(rows))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Of target rows: accuracy, or R2 in regression."""
        measure = r2_score if is_regressor(self.estimator_) else accuracy_score
        return float(measure(y, self.predict(X), sample_weight=sample_weight))

    def _moved(self, X: Any) -> Array:
        check_is_fitted(self)
        return self.move_(validate_data(self, X, dtype=np.float64, reset=False))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(LogisticRegression() if self.estimator is None else self.estimator)
        tags.estimator_type, tags.classifier_tags = inner.estimator_type, inner.classifier_tags
        tags.regressor_tags, tags.target_tags = inner.regressor_tags, inner.target_tags
        return tags
