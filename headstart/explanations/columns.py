"""A row of a table, or of numbers, in its columns; a column that is missing has the values of other rows in turn.

Of a linear head on the columns the contributions are exact:

    z_c - z_a = b + sum_d (W_dc - W_da) (x_d - mean_d) / scale_d            (summed over the features of each column)

beside the mean training row. Of all others they are Shapley values, over rows of the training data where these are
given, else against a row whose cells are missing (arrays: the mean training row).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from headstart.artefact.model import Model
from headstart.explanations.asking import answers_to_all
from headstart.explanations.attribution import Attribution, Way
from headstart.explanations.network import slopeless
from headstart.explanations.occlusion import occlusion
from headstart.explanations.question import Question
from headstart.explanations.shapley import shapley
from headstart.explanations.texts import is_linear
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.methods.answers import encoder_of
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks.task import Array

__all__ = ["ColumnCase", "contributions", "features_by_column"]

BACKGROUND = 16
_ROWS = 20_000


class ColumnCase:
    """One row of columns of a model.

    background   other rows, as the modality holds them, whose values stand for what is missing; None: see above
    """

    shape: tuple[int, int] | None = None
    without: Mapping[str, str]

    def __init__(self, model: Model, item: Any, extraction: Extraction, background: Any = None) -> None:
        self._model, self._extraction = model, extraction
        self._row, self._names, self._features = _row_of(model, item)
        self._others = _others(model, self._row, background)
        self.parts = tuple(self._names)
        self.notes: tuple[str, ...] = ()
        self._linear = self._features is not None and is_linear(model.head) and not model.beside
        why = slopeless(model)
        if why.startswith("it has no network"):
            why = f"the {model.head.name} head is not linear in the columns"
        self.without = {} if self._linear else {"contributions": why or "its features are not the columns"}

    def ask(self, kept: Array) -> Array:
        """See `Case`: the mean answer over the other rows."""
        count = len(self._others)
        kept = np.asarray(kept, bool)
        wanted = np.where(np.repeat(kept, count, axis=0), 0, 1 + np.tile(np.arange(count), len(kept))[:, None])
        columns = {name: pool.take(wanted[:, place]) for place, (name, pool) in enumerate(self._pools())}
        inputs: Any = pd.DataFrame({name: pool.reset_index(drop=True) for name, pool in columns.items()})
        if not self._model.modality.has_names:
            inputs = inputs.to_numpy(np.float64)
        answers = answers_to_all(self._model, inputs, self._extraction)
        return np.asarray(answers.reshape(len(kept), count, *answers.shape[1:]).mean(1))

    @property
    def ways(self) -> Mapping[str, Way]:
        """See `Case`: exact contributions where the head is linear, Shapley values, occlusion."""
        ways: dict[str, Way] = {"contributions": self._contributions} if self._linear else {}
        pairs = max(3, min(20, _ROWS // (2 * (len(self.parts) + 1) * len(self._others))))
        ways["shapley"] = lambda question: shapley(self, question, pairs=pairs)
        return ways | {"occlusion": lambda question: occlusion(self, question)}

    def _pools(self) -> list[tuple[Any, pd.Series[Any]]]:
        """Of each column its own cell, then those of the other rows."""
        both = pd.concat([self._row.astype(object), self._others.astype(object)], ignore_index=True)
        return [(name, both[name]) for name in both.columns]

    def _contributions(self, question: Question) -> Attribution:
        features = np.asarray(self._features)
        head = self._model.head
        logits = head.logits(features[None])[0] / head.temperature
        if question.against is None and question.kind.exclusive and len(logits) > 2:
            other = question.runner_up(head.predict(features[None])[0])
            question = Question(kind=question.kind, code=question.code, against=other)
        of_features, base = contributions(head.arrays, features, question, head.temperature)
        values = np.bincount(_of_column(self._model, len(self.parts)), of_features, len(self.parts))
        note = "exact, beside the mean training row"
        if question.against is not None:
            note += f"; against the class {self._model.classes[question.against]!r}"
        score = base + float(values.sum())
        return Attribution(values, base=base, score=score, gap=0.0, note=note)


def contributions(
    arrays: Mapping[str, Array], features: Array, question: Question, temperature: float
) -> tuple[Array, float]:
    """Of a linear head: (D,) what each feature adds to z_c - z_a over the temperature, and that of the mean row.

    Without a class against which, in a classification of two: the other one.
    """
    W = np.asarray(arrays["weight.0"], np.float64) / np.asarray(arrays["scale"])[:, None] / temperature
    b = np.asarray(arrays["bias.0"], np.float64) / temperature
    w, base = W[:, question.code], b[question.code]
    against = question.against
    if against is None and question.kind.exclusive:
        against = next((code for code in range(len(b)) if code != question.code), None)
    if against is not None:
        w, base = w - W[:, against], base - b[against]
    return np.asarray(w * (np.asarray(features, np.float64) - arrays["mean"])), float(base)


def features_by_column(model: Model, rows: FeatureSet) -> tuple[list[str], Array]:
    """The columns that count, and (D,) the column of each feature."""
    names = _row_of(model, rows.task.take([0]).inputs)[1]
    return names, _of_column(model, len(names))


def _of_column(model: Model, count: int) -> Array:
    encoder = encoder_of(model)
    if not isinstance(encoder, TableEncoder):
        return np.arange(count)
    return np.repeat(np.arange(len(encoder.columns)), [len(column.names) for column in encoder.columns])


def _row_of(model: Model, item: Any) -> tuple[pd.DataFrame, list[str], Array | None]:
    """One row as a frame of the columns that count, their names, and the features where they are the columns'."""
    if not model.modality.has_names:
        values = np.asarray(item, np.float64).reshape(1, -1)
        given = () if model.columns is None else model.columns.input
        names = (
            list(given) if len(given) == values.shape[1] else [f"column {place}" for place in range(values.shape[1])]
        )
        frame = pd.DataFrame(values, columns=names)
        return frame, names, values[0].astype(np.float32) if model.backbone is None or not model.backbone.dim else None
    frame = item.reset_index(drop=True)
    frame.columns = [str(name) for name in frame.columns]
    encoder = encoder_of(model)
    if not isinstance(encoder, TableEncoder):
        return frame, list(frame.columns), None
    names = [column.column for column in encoder.columns]
    return frame[names], names, encoder.transform(frame)[0]


def _others(model: Model, row: pd.DataFrame, background: Any) -> pd.DataFrame:
    if background is not None and len(background):
        names = list(row.columns)
        some = np.random.default_rng(0).permutation(len(background))[:BACKGROUND]
        if isinstance(background, pd.DataFrame):
            return background.rename(columns=str)[names].iloc[some]
        return pd.DataFrame(np.asarray(background)[some], columns=names)
    if model.modality.has_names:
        return pd.DataFrame([[None] * row.shape[1]], columns=row.columns, dtype=object)
    mean = np.asarray(model.head.arrays["mean"])
    known = len(mean) == row.shape[1] and model.head.form == "plain" and "turn" not in model.head.arrays
    return pd.DataFrame([mean if known else np.zeros(row.shape[1])], columns=row.columns)
