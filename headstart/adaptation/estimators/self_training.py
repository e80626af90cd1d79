"""Self-training across tasks: the source's labels, then the target rows that the model is surest of (Zou et al., 2018).

    P       what the model says of target rows; its share p of surest rows grows to `share` in half of the rounds
    k_c     the confidence of the row at share p among target rows called c
    take    row x as c = argmax P_c(x) / k_c where that is 1 or more and P_c(x) is at least the threshold
    fit     on the source and the rows taken; until no label and no row changes

Each class gives the same share of its rows, so that an easy class does not crowd out a hard one.
Use it where the source model is mostly right on the target and classes are apart. Not where it is near chance: it
teaches itself its own mistakes, and only grows surer.
"""

from __future__ import annotations

from typing import Any, Self, cast

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted, validate_data

from headstart.adaptation.alignment.step import Domains
from headstart.adaptation.estimators.sample_domain import domains_of
from headstart.checks import whole
from headstart.tasks.task import Array

__all__ = ["SelfTraining"]


class SelfTraining(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of the target that adds its own surest answers to the source's labels, round by round.

    estimator       classifier with predict_proba; None: logistic regression
    threshold       least probability of a row that is taken, from 0 to 1
    rounds          most rounds, each one fit
    share           of each class that is taken at most, above 0 up to 1
    target_labels   whether known labels of target rows are learnt from as well

    After `fit`: `facts_` has, a round, `taken` (rows) and `taken_by_class`, and `settled`: whether it stopped because
    nothing changed any more.
    """

    def __init__(
        self,
        estimator: Any = None,
        threshold: float = 0.6,
        rounds: int = 10,
        *,
        share: float = 0.5,
        target_labels: bool = False,
    ) -> None:
        self.estimator = estimator
        self.threshold = threshold
        self.rounds = rounds
        self.share = share
        self.target_labels = target_labels

    def fit(self, X: Any, y: Any, *, sample_domain: Any = None) -> Self:
        """X (N, d), y (N,) classes, -1 where not known. Raises ValueError where nothing says how sure a row is."""
        self._check()
        domains = domains_of(self, X, y, sample_domain, self.target_labels)
        base = LogisticRegression(max_iter=1000) if self.estimator is None else self.estimator
        if not hasattr(base, "predict_proba"):
            raise ValueError(f"{base} has no predict_proba, and self-training takes the surest rows: use another one")
        fixed = cast(Array, domains.known)
        taken, by_class, settled = fixed, [], False
        self.estimator_ = self._learnt(base, domains, taken)
        for step in range(self.rounds):
            p = self.share * min(1.0, (step + 1) / max(self.rounds // 2, 1))
            new = np.where(fixed >= 0, fixed, self._surest(self.estimator_.predict_proba(domains.target), p))
            same, taken = np.array_equal(new, taken), new
            by_class.append(np.bincount(taken[(taken >= 0) & (fixed < 0)], minlength=len(self.classes_)).tolist())
            if same and p == self.share:
                settled = True
                break
            self.estimator_ = self.estimator_ if same else self._learnt(base, domains, taken)
        self.facts_ = {"taken": [sum(counts) for counts in by_class], "taken_by_class": by_class, "settled": settled}
        return self

    def _check(self) -> None:
        whole("rounds", self.rounds, 1)
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold!r}: expected a probability from 0 to 1, such as 0.6")
        if not 0 < self.share <= 1:
            raise ValueError(f"share is {self.share!r}: expected more than 0 and at most 1, such as 0.5")

    def _learnt(self, base: Any, domains: Domains, taken: Array) -> Any:
        """The estimator on the source rows and the target rows taken so far."""
        more = taken >= 0
        rows = np.vstack([domains.source, domains.target[more]])
        return clone(base).fit(rows, np.append(domains.targets, taken[more]))

    def _surest(self, P: Array, p: float) -> Array:
        """(m,) the class that each target row is taken as, or -1."""
        called, sure = P.argmax(1), P.max(1)
        k = np.ones(P.shape[1])
        for c in np.unique(called):
            ranked = np.sort(sure[called == c])[::-1]
            k[c] = ranked[int(np.ceil(p * len(ranked))) - 1]
        taken = (P / k).argmax(1)
        each = np.arange(len(P))
        enough = ((P / k)[each, taken] >= 1) & (P[each, taken] >= self.threshold)
        return np.where(enough, taken, -1)

    def predict_proba(self, X: Any) -> Array:
        """(N, C) for target rows, columns as in `classes_`."""
        check_is_fitted(self)
        return cast(Array, self.estimator_.predict_proba(validate_data(self, X, dtype=np.float64, reset=False)))

    def predict(self, X: Any) -> Array:
        """(N,) classes of target rows."""
        shares = self.predict_proba(X)
        return cast(Array, self.classes_[shares.argmax(1)])
