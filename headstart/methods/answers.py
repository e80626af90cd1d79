"""From a model to answers: what its head stands on, of rows that its backbone has seen, and what it says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, overload

import numpy as np

from headstart.artefact.model import Model
from headstart.errors import DataError
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet, as_prepared, glance, look, noted
from headstart.features.window import unsettled
from headstart.heads.arrays import UTILITY
from headstart.listener import Listener
from headstart.preprocessing.description_encoder import DescriptionEncoder
from headstart.preprocessing.encoders import Encoder, encoder_from
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks.goal import Answers, Decided
from headstart.tasks.task import Array, Task

if TYPE_CHECKING:
    from scipy import sparse

__all__ = [
    "answer",
    "answer_features",
    "answers_of",
    "encoder_of",
    "features",
    "features_of",
    "fed_otherwise",
    "look_as_fitted",
    "seen_by",
]

_PARTS = ("name", "precision", "device", "why")


def look_as_fitted(model: Model, task: Task, extraction: Extraction, listener: Listener) -> FeatureSet:
    """Run the backbone of a fitted model over a task. Of pictures that its window does not suit there is a note, and of
    features that are not those of the engine and precision that its head was fitted on."""
    note = unsettled(model.backbone, list(task.inputs)) if task.modality.has_pixels else ""
    task = as_prepared(model.backbone, noted(task, note, listener), listener)
    rows = seen_by(model, task, extraction, listener)
    rows = replace(rows, task=noted(rows.task, fed_otherwise(model, rows), listener))
    beside = tuple(_look_beside(model, member.model, rows, extraction, listener) for member in model.beside)
    return replace(rows, beside=beside) if beside else rows


def _look_beside(
    model: Model, other: Model, rows: FeatureSet, extraction: Extraction, listener: Listener
) -> FeatureSet:
    """The same rows as a model sees them that is averaged with another."""
    if other.backbone is None or (model.backbone and other.backbone.fingerprint == model.backbone.fingerprint):
        return rows
    again = look_as_fitted(other, rows.task, extraction.as_fitted(other.engine), listener)
    if len(again) != len(rows):
        raise DataError(f"{len(rows) - len(again)} inputs could be read once, and not a second time")
    return again


def seen_by(
    model: Model, task: Task, extraction: Extraction, listener: Listener, stage: str = "features"
) -> FeatureSet:
    """A task through the backbone of a fitted model; without one, what its encoder takes."""
    if model.backbone is not None or task.modality.has_columns:
        return look(task, model.backbone, extraction, listener, stage)
    encoder = encoder_of(model)
    window = encoder.window if isinstance(encoder, DescriptionEncoder) else None
    return glance(task, extraction, listener, window=window)


def fed_otherwise(model: Model, rows: FeatureSet) -> str:
    """That the features are of another engine or precision than the head was fitted on, and why; "" where they are
    not."""
    fitted, used = ({part: str(engine.get(part, "")) for part in _PARTS} for engine in (model.engine, rows.engine))
    if "" in (fitted["name"], used["name"]) or all(fitted[part] == used[part] for part in _PARTS[:2]):
        return ""
    fitted_on, used_here = ("{name} {precision} on {device}".format(**parts) for parts in (fitted, used))
    return (
        f"the model was fitted on features of {fitted_on}, which cannot be had here ({used['why']}): those of "
        f"{used_here} are nearly the same, and so are the answers"
    )


def answer(model: Model, rows: FeatureSet) -> Array:
    """Probabilities (N, C) for classification and multilabel, values (N,) for regression."""
    if model.beside and len(rows.beside) != len(model.beside):
        raise ValueError("the model averages several backbones, and these rows were seen by one: use look_as_fitted")
    seen = (rows, *rows.beside) if model.beside else (rows,)
    return answer_features(
        model, [features(member.model, own) for member, own in zip(model.members, seen, strict=True)]
    )


def answer_features(model: Model, values: Sequence[Array | sparse.csr_array]) -> Array:
    """The same of (N, D) features, those that the head of each of its members stands on."""
    if not model.beside:
        return model.head.predict(values[0])
    parts = zip(model.members, values, strict=True)
    return np.asarray(sum(member.weight * member.model.head.predict(own) for member, own in parts))


def answers_of(model: Model, rows: FeatureSet) -> Answers:
    """The same, with the decisions of a head that does not answer the likeliest class."""
    predictions = answer(model, rows)
    decides = UTILITY in model.head.arrays
    return Decided(predictions, model.head.decide(predictions)) if decides else predictions


def features(model: Model, rows: FeatureSet) -> Array | sparse.csr_array:
    """(N, D) what the head of a model stands on; sparse where that is the words of texts."""
    return features_of(rows, encoder_of(model))


def encoder_of(model: Model) -> Encoder | None:
    """What makes features of the inputs of a model; None where its backbone does, or the columns are features."""
    return None if model.encoder is None else encoder_from(*model.encoder)


@overload
def features_of(rows: FeatureSet, encoder: TableEncoder | None) -> Array: ...


@overload
def features_of(rows: FeatureSet, encoder: Encoder | None) -> Array | sparse.csr_array: ...


def features_of(rows: FeatureSet, encoder: Encoder | None) -> Array | sparse.csr_array:
    """(N, D): what the backbone made of the inputs, or what the encoder makes of them."""
    return np.asarray(rows.values) if encoder is None else encoder.transform(rows.plain_inputs)
