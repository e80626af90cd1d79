"""From a model to answers: what its head stands on, of rows that its backbone has seen, and what it says of them."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from headstart.artefact.model import Model
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet, look, noted
from headstart.features.window import unsettled
from headstart.listener import Listener
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks.task import Array, Task

__all__ = ["answer", "features", "features_of", "look_as_fitted"]


def look_as_fitted(model: Model, task: Task, extraction: Extraction, listener: Listener) -> FeatureSet:
    """Run the backbone of a fitted model over a task; of pictures that its window does not suit there is a note."""
    note = unsettled(model.backbone, list(task.inputs)) if task.modality.has_pixels else ""
    return look(noted(task, note, listener), model.backbone, extraction, listener)


def answer(model: Model, rows: FeatureSet) -> Array:
    """Probabilities (N, C) for classification and multilabel, values (N,) for regression."""
    return model.head.predict(features(model, rows))


def features(model: Model, rows: FeatureSet) -> Array:
    """(N, D) what the head of a model stands on."""
    encoder = None if model.encoder is None else TableEncoder.from_state(*model.encoder)
    return features_of(rows, encoder)


def features_of(rows: FeatureSet, encoder: TableEncoder | None) -> Array:
    """(N, D): what the backbone made of the inputs, or what the encoder makes of the columns."""
    if encoder is not None:
        return encoder.transform(cast(pd.DataFrame, rows.task.inputs))
    return np.asarray(rows.values)
