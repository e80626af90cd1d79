"""From the arguments of a scikit-learn estimator to a task, by scikit-learn's own rules where they hold arrays."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from sklearn.utils import ClassifierTags, RegressorTags, Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from headstart.data.arrays import as_matrix, as_task, is_matrix
from headstart.data.containers import contained
from headstart.data.pair import Pair, foreign, pair
from headstart.data.quality.classes import without_empty_classes
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.tables import Table
from headstart.data.target_values import rows_of, target_values
from headstart.data.targets import is_missing, require_kind
from headstart.errors import DataError
from headstart.tasks import ARRAY, TABLE
from headstart.tasks.kind import Kind
from headstart.tasks.task import Array, Task

__all__ = ["both_tasks", "tags_of_kind", "task_to_answer", "task_to_fit"]

FLOATS = (np.float64, np.float32)


def task_to_fit(
    estimator: Any, X: Any, y: Any, groups: Any = None, weights: Any = None, *, taught: bool = False
) -> Task:
    """The task of a fit: arrays go through scikit-learn's own validation, so that its contract holds.

    taught   whether there is a teacher: y may then be None
    """
    rate = estimator.sample_rate
    if y is None and taught:
        return as_task(X, group=groups, sample_rate=rate)
    if y is None:
        raise DataError("fit requires y to be passed, but the target y is None: pass one target for each input")
    kind = _kind(estimator)
    inputs, targets = contained(X), rows_of(y, "targets")
    if not kind.several and isinstance(targets, np.ndarray):
        targets = column_or_1d(targets, warn=True)
    if isinstance(inputs, Table):
        validate_data(estimator, inputs.frame, skip_check_array=True)
    elif rate is None and is_matrix(inputs):
        inputs, targets = _validated(estimator, as_matrix(inputs), targets)
    if kind.exclusive:
        values, _ = target_values(targets)
        check_classification_targets(values) if not any(map(is_missing, values)) else None
    task = as_task(inputs, targets, kind=kind, group=groups, weight=weights, sample_rate=rate)
    if task.weight is None or task.weight.all():
        return task
    return without_empty_classes(task.take(np.flatnonzero(task.weight)))


def both_tasks(estimator: Any, X: Any, y: Any, groups: Any, source: Any) -> Pair:
    """A target and its source `(X, y)` on common ground; y of the target may be None.

    Raises DataError where they have no columns or classes in common, or the target has classes of its own.
    """
    if not isinstance(source, tuple | list) or len(source) != 2:
        raise ValueError(f"source is a {type(source).__name__}: expected a pair (X, y) of the source task")
    inputs, targets = source
    kind, rate = _kind(estimator), estimator.sample_rate
    theirs = as_task(inputs, rows_of(targets, "targets"), kind=kind, sample_rate=rate)
    ours = as_task(X, None if y is None else rows_of(y, "targets"), kind=kind, group=groups, sample_rate=rate)
    both = pair(theirs, ours)
    if both.open:
        raise DataError(foreign(both.open, "refused")[0])
    if both.target.modality == ARRAY:
        validate_data(estimator, both.target.inputs, dtype=FLOATS)
    elif both.target.modality.has_names:
        validate_data(estimator, both.target.inputs, skip_check_array=True)
    return both


def _kind(estimator: Any) -> Kind:
    return cast(Kind, require_kind(estimator.kind))


def _validated(estimator: Any, X: Array, y: Any) -> tuple[Array, Any]:
    """(N, D) numbers and their targets, by scikit-learn's rules."""
    if _kind(estimator).several:
        return validate_data(estimator, X, dtype=FLOATS, ensure_min_samples=2), y
    values, _ = target_values(y)
    X, _ = validate_data(estimator, X, values, dtype=FLOATS, ensure_min_samples=2)
    return X, y


def task_to_answer(estimator: Any, X: Any) -> Task:
    """The task of a prediction, without targets."""
    modality, columns = estimator.model_.modality, estimator.model_.columns
    if isinstance(X, str):
        raise DataError(f"{X!r:.80} is one string: give a list, [text]; folders and files go to headstart.predict")
    inputs = contained(X)
    if modality.has_columns and (isinstance(inputs, Table) or is_matrix(inputs)):
        rows = inputs.frame if isinstance(inputs, Table) else as_matrix(inputs)
        if modality == ARRAY:
            inputs = validate_data(estimator, rows, reset=False, dtype=FLOATS)
        elif modality == TABLE and rows.ndim == 2 and hasattr(estimator, "feature_names_in_"):
            validate_data(estimator, rows, skip_check_array=True, reset=False)
    roles = Roles(modality=modality, sample_rate=estimator.sample_rate)
    return read(inputs, roles=roles, need_target=False, columns=columns)


def tags_of_kind(tags: Tags, kind: Kind) -> Tags:
    """An estimator's tags with those of a kind of task."""
    regression = not kind.has_classes
    tags.estimator_type = "regressor" if regression else "classifier"
    tags.target_tags.required = True
    tags.classifier_tags = None if regression else ClassifierTags(multi_label=kind.several)
    tags.regressor_tags = RegressorTags() if regression else None
    tags.input_tags.string = True
    return tags
