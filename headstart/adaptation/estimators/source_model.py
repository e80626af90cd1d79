"""What the methods share that draw a linear model to that of the source: its parameters, and the change they solve."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import lstsq, solve
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import validate_data

from headstart.adaptation.alignment.step import Domains
from headstart.adaptation.estimators.sample_domain import answered, coded, domains_of, finite
from headstart.tasks.task import Array

__all__ = ["Start", "change", "start", "strength"]


_PAIR = 2


class Start(NamedTuple):
    """Labelled target rows (m, d), their answers (m, k) or codes (m,), the source's slopes (d, k), offsets (k,)."""

    rows: Array
    answers: Array
    slopes: Array
    offsets: Array


def strength(penalty: float) -> float:
    """The pull, checked. Raises ValueError where it is negative or NaN."""
    if not penalty >= 0:
        raise ValueError(f"penalty is {penalty!r}: expected 0 (the target's own model) up to inf (the source's)")
    return float(penalty)


def start(estimator: Any, source: Any, tasks: tuple[Any, Any, Any]) -> Start:
    """From (X, y, sample_domain): the source model, fitted on the source rows unless it is frozen, and target rows."""
    X, y, sample_domain = tasks
    if isinstance(source, FrozenEstimator) and sample_domain is None:
        domains, model = _target_only(estimator, source, X, y), source
    else:
        domains = domains_of(estimator, X, y, sample_domain)
        targets = estimator.classes_[domains.targets] if domains.classes else domains.targets
        model = clone(source).fit(domains.source, targets)
    if not hasattr(model, "coef_"):
        raise ValueError(f"the source model {source} has no coef_: expected a linear one, Ridge or LogisticRegression")
    if domains.classes:
        _same_classes(estimator, model)
    rows, answers = answered(domains, type(estimator).__name__)
    slopes = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64)).T
    answers = answers if domains.classes else answers.reshape(len(rows), -1)
    width = slopes.shape[1] if domains.classes else answers.shape[1]
    if slopes.shape != (rows.shape[1], width):
        raise ValueError(
            f"the source model maps {slopes.shape[0]} features to {slopes.shape[1]} answers: "
            f"expected {rows.shape[1]} to {width}, as in X and y"
        )
    offsets = np.zeros(slopes.shape[1]) + np.asarray(model.intercept_, dtype=np.float64)
    return Start(rows, answers, slopes, offsets)


def _same_classes(estimator: Any, model: Any) -> None:
    """Raises ValueError where the source model has other classes than y, or compares them in pairs."""
    theirs, ours = np.asarray(model.classes_).tolist(), estimator.classes_.tolist()
    if theirs != ours:
        raise ValueError(f"the source model tells {theirs} apart, and y holds {ours}: expected the same classes")
    if len(ours) > _PAIR and getattr(model, "n_support_", None) is not None:
        raise ValueError(f"the source model {model} compares classes in pairs: expected one vector a class")


def _target_only(estimator: Any, source: Any, X: Any, y: Any) -> Domains:
    """Rows of the target alone, for a source model that came fitted."""
    X = validate_data(estimator, X, dtype=np.float64, copy=True)
    none = np.zeros(len(X), dtype=bool)
    if not is_classifier(estimator):
        return Domains(X[:0], X[:0, 0], X, finite(y, none))
    estimator.classes_ = source.classes_
    return Domains(X[:0], X[:0, 0], X, coded(y, none, source.classes_), len(source.classes_))


def change(rows: Array, residual: Array, penalty: float, offset: float = 0.0) -> tuple[Array, Array]:
    """The least (w, b) that explains the residual: argmin |X w + b s - r|^2 + lambda (|w|^2 + |b|^2), s the offset.

    Solved among the rows where they are fewer than the columns, else among the columns; (d, k) and (k,).
    """
    m, d = rows.shape
    if np.isinf(penalty):
        return np.zeros((d, residual.shape[1])), np.zeros(residual.shape[1])
    if penalty == 0:
        coefficients = lstsq(np.column_stack([rows, np.full(m, offset)]), residual)[0]
        return coefficients[:-1], coefficients[-1] * offset
    if m <= d:
        dual = solve(rows @ rows.T + offset**2 + penalty * np.eye(m), residual, assume_a="pos")
        return rows.T @ dual, offset**2 * dual.sum(0)
    total = offset * rows.sum(0)
    gram = np.block([[rows.T @ rows, total[:, None]], [total, np.array([offset**2 * m])]])
    right = np.vstack([rows.T @ residual, offset * residual.sum(0)])
    coefficients = solve(gram + penalty * np.eye(d + 1), right, assume_a="pos")
    return coefficients[:-1], coefficients[-1] * offset
