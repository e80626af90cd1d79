"""Asking a fitted model itself: changed inputs in, its own answers out, by the engine that its head was fitted on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from headstart.artefact.model import Model
from headstart.backbones.columns import embedded
from headstart.errors import DataError
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.listener import SILENT
from headstart.methods.answers import answer, look_as_fitted
from headstart.tasks.task import Array, Task

__all__ = ["answers_to_all"]


def answers_to_all(model: Model, inputs: Any, extraction: Extraction) -> Array:
    """(N, C) probabilities or (N,) values for inputs as a task of the model's modality holds them; nothing is cached.

    `DataError` where one of them cannot be used.
    """
    names = [f"row {row}" for row in range(len(inputs))]
    task = Task(inputs=inputs, targets=None, kind=model.kind, modality=model.modality, names=names)
    if model.modality.has_columns:
        return answer(model, _columns(model, task))
    rows = look_as_fitted(model, task, replace(extraction, cache=None), SILENT)
    if len(rows) != len(task):
        first = rows.task.set_aside[0]
        raise DataError(f"{first.name} cannot be used: {first.why}")
    return answer(model, rows)


def _columns(model: Model, task: Task) -> FeatureSet:
    """Rows of columns, of which nothing but the features is asked."""
    cells = task.modality.cells(task.inputs)
    values = task.modality.columns(task.inputs)
    if cells is not None and model.backbone is not None and model.backbone.module is not None:
        values = embedded(cells, model.backbone)
    rows = FeatureSet(task, [], np.arange(len(task)), values)
    return replace(rows, beside=(rows,) * len(model.beside))
