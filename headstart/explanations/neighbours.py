"""The training rows nearest to an input, as the head sees features: standardised by it, by the angle between them.

s(x, y) = x'y / (|x| |y|),    x = (features - mean) / scale
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from headstart.artefact.model import Model
from headstart.features.feature_set import FeatureSet
from headstart.heads.head import shaped
from headstart.messages import printable
from headstart.methods.answers import features
from headstart.tasks.task import Array

__all__ = ["Neighbour", "nearest", "of_length_one", "standardised", "standardised_features"]


class Neighbour(NamedTuple):
    """name        of the training row, as it is called in the training data: of a file, its path
    label       its target, as a person writes it
    similarity  the cosine, at most 1
    input       the row itself
    """

    name: str
    label: Any
    similarity: float
    input: Any = None

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {"name": self.name, "label": self.label, "similarity": self.similarity}

    def __str__(self) -> str:
        return printable(f"{self.name}  {self.label}  {self.similarity:.3f}", newlines=False)


def nearest(model: Model, rows: FeatureSet, training: FeatureSet, *, count: int = 5) -> list[tuple[Neighbour, ...]]:
    """Of each row, the `count` most similar training rows; a training row that is the same input is one of them."""
    x, y = (of_length_one(standardised(model, some)) for some in (rows, training))
    similarities = x @ y.T
    task = training.task
    targets = np.asarray(task.targets)
    result = []
    for row in similarities:
        order = np.argsort(-row, kind="stable")[:count]
        result.append(
            tuple(
                Neighbour(
                    task.names[place],
                    task.kind.in_words(targets[place], task.classes),
                    float(min(1.0, row[place])),
                    task.modality.take(task.inputs, np.array([place])),
                )
                for place in order
            )
        )
    return result


def standardised(model: Model, rows: FeatureSet) -> Array:
    """(N, D) features of rows as the head standardises them, float64."""
    values: Any = features(model, rows)
    return standardised_features(model, np.asarray(values.todense() if hasattr(values, "todense") else values))


def standardised_features(model: Model, values: Array) -> Array:
    """(N, D) as the head standardises it, float64; as it is where the head has other arrays before that."""
    dense = np.asarray(values, np.float64)
    arrays = model.head.arrays
    if "turn" in arrays:
        return dense
    return np.asarray((shaped(dense, model.head.form) - arrays["mean"]) / arrays["scale"])


def of_length_one(x: Array) -> Array:
    """(N, D) with rows of length one; rows of zeros stay."""
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.where(lengths > 0, lengths, 1.0))
