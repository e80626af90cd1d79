"""From a model to answers: what its head stands on, of rows that its backbone has seen, and what it says of them."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from headstart.artefact import Model
from headstart.features.feature_set import FeatureSet
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks.task import Array

__all__ = ["answer", "features", "features_of"]


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
