"""The rows on which an export is compared with its model: of data that was given, of the training data, or made up."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.unlearnt import to_classes
from headstart.deployment.formats.made_up import made_up
from headstart.errors import DataError
from headstart.evidence.origin import Origin, origin_from
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.listener import SILENT
from headstart.methods.answers import look_as_fitted
from headstart.tasks.task import Array, Task
from headstart.transfer import Transfer

__all__ = ["ROWS", "Sample", "exact_features", "labelled_rows", "sample_of"]

ROWS = 200
"""On which answers are compared."""
LABELLED = 1000
"""On which what 8 bits cost is measured, at most."""
_EXACT = Extraction(engine="torch", precision="float32", device="cpu", thumbs=False)


class Sample(NamedTuple):
    """A task of the modality of a model, and what it is, in words."""

    task: Task
    origin: str


def sample_of(fitted: Transfer, check_on: Any, most: int = ROWS) -> Sample:
    """Rows from all over the data. DataError where data are named that cannot be read."""
    model = fitted.model_
    if check_on is not None:
        task = read(check_on, roles=Roles(modality=model.modality), need_target=False, columns=model.columns)
        return Sample(_spread(task, most), f"rows of {_called(check_on)}")
    origin = origin_of(model.evidence)
    if origin is not None and origin.data is not None and os.path.exists(origin.data):
        try:
            roles = replace(_roles(origin), modality=model.modality)
            task = read(origin.data, roles=roles, need_target=False, columns=model.columns)
            return Sample(_spread(task, most), f"rows of {origin.data}")
        except DataError:  # it changed since: made-up rows serve as well
            return Sample(made_up(model, most), f"made-up rows, since {origin.data} cannot be read any more")
    return Sample(made_up(model, most), "made-up rows")


def labelled_rows(fitted: Transfer, check_on: Any, most: int = LABELLED) -> Sample:
    """Rows with labels: of the data that are given, else of those that the fit held out where they were told apart,
    else of all that it learnt from. DataError where there are none."""
    model = fitted.model_
    roles, data, what = Roles(modality=model.modality), check_on, "rows of {}"
    if check_on is None:
        origin = origin_of(model.evidence)
        if origin is None or (origin.test or origin.data) is None:
            raise DataError("what 8 bits cost is measured on rows with labels: give some (--check-on DATA)")
        roles, data = replace(_roles(origin), modality=model.modality), origin.test or origin.data
        what = "held-out rows of {}" if origin.test else "rows of {}, of which the model learnt from some"
    task = to_classes(read(data, roles=roles, kind=model.kind, columns=model.columns), model.classes)
    if check_on is None and task.split is not None and (tested := np.flatnonzero(task.split == "test")).size:
        task, what = task.take(tested), "held-out rows of {}"
    return Sample(_spread(task, most), what.format(_called(data)))


def exact_features(fitted: Transfer, task: Task) -> FeatureSet:
    """The rows through the backbone in float32, as an export calculates."""
    return look_as_fitted(fitted.model_, task, _EXACT, SILENT)


def origin_of(evidence: Mapping[str, Any] | None) -> Origin | None:
    """Where a model comes from, as far as its evidence tells."""
    return None if evidence is None else origin_from(evidence.get("origin"))


def _roles(origin: Origin) -> Roles:
    named: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in origin.roles.items() if value
    }
    return Roles(**named)


def _spread(task: Task, most: int) -> Task:
    if not len(task):
        raise DataError("there are no rows to compare the export on: give others (--check-on DATA)")
    rows: Array = np.unique(np.linspace(0, len(task) - 1, min(most, len(task))).round().astype(np.int64))
    return task.take(rows)


def _called(data: Any) -> str:
    return os.fspath(data) if isinstance(data, str | os.PathLike) else "the data that were given"
