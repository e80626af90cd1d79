"""Rows of two tasks in one X, as a pipeline gives them: which are of the source, and which answers are known."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, cast

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import column_or_1d, get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import has_fit_parameter, validate_data

from headstart.adaptation.alignment.step import Domains
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Array

__all__ = ["answered", "coded", "domains_of", "finite", "have_answers", "sources", "weighable"]

_UNKNOWN = {"-1", "-1.0", "nan", "None", "<NA>"}
_MASKS: frozenset[Hashable] = frozenset({-1, "-1"})


def sources(sample_domain: Any, count: int) -> Array:
    """Which rows are of the source: (count,) of bool. Raises ValueError in words where the numbers do not say."""
    if sample_domain is None:
        raise ValueError(
            "sample_domain is missing: expected a number a row, positive for source rows, negative for target"
        )
    signs = np.sign(np.asarray(sample_domain, dtype=np.float64))
    if signs.shape != (count,):
        raise ValueError(f"sample_domain has shape {signs.shape}: expected ({count},), a number a row")
    if not np.isin(signs, (-1, 1)).all():
        raise ValueError(
            "sample_domain holds 0 or NaN: expected positive numbers for source rows, negative for target rows"
        )
    for sign, name in ((1, "source"), (-1, "target")):
        if not (signs == sign).any():
            raise ValueError(
                f"sample_domain names no {name} row: expected positive numbers for source, negative for target"
            )
    return cast(Array, signs > 0)


def domains_of(estimator: Any, X: Any, y: Any, sample_domain: Any, look: bool = True) -> Domains:
    """Both tasks of one X and y; sets `n_features_in_`, and `classes_` of a classifier.

    Raises ValueError where a source row has no answer, or a target row one of no source row's class. look: whether
    answers of target rows may be used at all; they are unknown otherwise, whatever they are.
    """
    X = validate_data(estimator, X, dtype=np.float64, ensure_min_samples=2)
    source = sources(sample_domain, len(X))
    y = _one_a_row(y, len(X))
    if y.shape == (len(X), 1) and not get_tags(estimator).target_tags.multi_output:
        y = column_or_1d(y, warn=True)
    usable = np.ones(len(X), dtype=bool) if look else source
    if is_regressor(estimator):
        values = np.full(y.shape, np.nan)
        values[usable] = finite(y[usable], source[usable])
        return Domains(X[source], values[source], X[~source], values[~source])
    if y.dtype.kind == "f" and np.isfinite(y[source]).all():
        check_classification_targets(y[source])
    estimator.classes_ = _classes(y, source)
    codes = np.full(len(X), -1)
    codes[usable] = coded(y[usable], source[usable], estimator.classes_)
    if len(estimator.classes_) < 2:
        raise ValueError(f"the source rows are all of class {estimator.classes_.tolist()}: expected two or more")
    return Domains(X[source], codes[source], X[~source], codes[~source], len(estimator.classes_))


def _classes(y: Array, source: Array) -> Array:
    """The classes of source rows, sorted."""
    if y.ndim > 1:
        raise ValueError(f"y has shape {y.shape}: expected ({len(y)},), one class a row")
    names = {name for name in _distinct(y[source])[0] if name is not None and str(name) != "nan"}
    try:
        return np.array(sorted(names))
    except TypeError:
        shown = sorted(map(repr, names))[:5]
        raise ValueError(f"y holds names and numbers ({', '.join(shown)}): expected one or the other") from None


def _distinct(y: Array) -> tuple[list[Any], Array]:
    """What y holds, and where each row has it; objects as they come, since they need not have an order."""
    if y.dtype.hasobject:
        return y.tolist(), np.arange(len(y))
    names, at = np.unique(y, return_inverse=True)
    return names.tolist(), at


def _one_a_row(y: Any, count: int) -> Array:
    if y is None:
        raise ValueError(f"y has shape () for {count} rows: fit requires y to be passed, but the target y is None")
    answers = np.asarray(y)
    if answers.ndim == 0 or len(answers) != count:
        raise ValueError(f"y has shape {answers.shape} for {count} rows: expected one answer a row")
    return answers


def finite(y: Any, source: Array) -> Array:
    """Answers of a regression as float64, (N,) or (N, k); NaN is an unknown answer of a target row."""
    answers = _one_a_row(y, len(source))
    try:
        values = answers.astype(np.float64)
    except (TypeError, ValueError):
        wrong = next((value for value in answers.ravel().tolist() if not isinstance(value, int | float | None)), None)
        raise ValueError(f"y holds {wrong!r}: expected numbers, for this is regression; or take a classifier") from None
    if np.isinf(values).any() or np.isnan(values[source]).any():
        raise ValueError("y holds infinity, or NaN in a source row: expected numbers, NaN where a target is not known")
    return values


def coded(y: Any, source: Array, classes: Array) -> Array:
    """Answers as codes into `classes`; -1 where a target row says NaN or None, or -1 if that is no class."""
    place = {cast(Hashable, name): code for code, name in enumerate(classes.tolist())}
    names, at = _distinct(_one_a_row(y, len(source)))
    codes = np.array([place.get(name, -1) for name in names])[at]
    masks = np.array([name in _MASKS for name in names])[at]
    if not _MASKS.isdisjoint(place) and not source.all() and masks[~source].all():
        raise ValueError(
            "all target rows say -1, which is a class of the source here: mark them unknown with NaN, or name the "
            "classes otherwise, such as 0 and 1"
        )
    if (codes[source] < 0).any():
        raise ValueError("y holds NaN or None in a source row: expected a class for each source row")
    strange = {str(name) for name in names if name not in place} - _UNKNOWN
    if strange:
        raise ValueError(
            f"target rows are of classes {sorted(strange)[:5]} that no source row has: expected {classes.tolist()}; "
            "leave these rows out, or mark them unknown with -1"
        )
    return codes


def answered(domains: Domains, who: str) -> tuple[Array, Array]:
    """Target rows whose answer is known, and the answers. Raises ValueError where there are none."""
    answers, have = cast(Array, domains.known), have_answers(domains)
    if not have.any():
        raise ValueError(
            f"no target row has a known answer (all are -1 or NaN), and {who} learns from some: label a few target "
            "rows, or take a step that needs none, such as Adapted(Coral())"
        )
    return (domains.target, answers) if have.all() else (domains.target[have], answers[have])


def have_answers(domains: Domains) -> Array:
    """(m,) of bool: which target rows have an answer that is known; none where no target label may be used."""
    if domains.known is None:
        return np.zeros(len(domains.target), dtype=bool)
    kind = CLASSIFICATION if domains.classes else REGRESSION
    return np.asarray(kind.known(domains.known).reshape(len(domains.known), -1).all(1))


def weighable(estimator: Any, who: str) -> None:
    """Raises ValueError where an estimator takes no weights of rows."""
    if not has_fit_parameter(estimator, "sample_weight"):
        raise ValueError(f"{estimator} takes no sample_weight, and {who} weighs rows: use another estimator")
