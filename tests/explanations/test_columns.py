"""Columns: exact contributions by hand, Shapley values of functions whose values are known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from explained import fitted, head

from headstart.explanations.explain import case_of, explain
from headstart.explanations.question import Question
from headstart.explanations.shapley import shapley
from headstart.features.extraction import Extraction
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

EXTRACTION = Extraction(engine="torch")


class Game:
    """Parts whose value is told by a function of which of them are there."""

    shape = None

    def __init__(self, count, value):
        self.parts, self._value = tuple(map(str, range(count))), value

    def ask(self, kept):
        return np.array([self._value(row) for row in kept])


def exactly(game):
    """The Shapley values by all orders."""
    count = len(game.parts)
    values = np.zeros(count)
    for order in itertools.permutations(range(count)):
        there = np.zeros(count, bool)
        for part in order:
            before = game.ask(there[None])[0]
            there[part] = True
            values[part] += (game.ask(there[None])[0] - before) / math.factorial(count)
    return values


def test_shapley_values_of_pairs_are_exact_and_of_triples_near():
    value = Question(kind=REGRESSION, code=0)
    pairs = Game(4, lambda row: 3.0 * row[0] * row[1] - row[2] + 0.5 * row[1] * row[3])
    np.testing.assert_allclose(shapley(pairs, value, pairs=1).values, exactly(pairs), atol=1e-12)
    triple = Game(4, lambda row: 6.0 * row[0] * row[1] * row[2] + row[3])
    sampled = shapley(triple, value, pairs=400)
    np.testing.assert_allclose(sampled.values, exactly(triple), atol=0.25)
    assert sampled.values.sum() == pytest.approx(7.0)


def test_contributions_of_a_linear_head_are_weight_times_difference(table, frame):
    model, row = table.model_, frame.iloc[[3]]
    encoder, arrays = TableEncoder.from_state(*model.encoder), model.head.arrays
    explanation = explain(table, row, label="a", against="c")[0]
    x = encoder.transform(row)[0].astype(np.float64)
    W = arrays["weight.0"] / arrays["scale"][:, None] / model.head.temperature
    terms = (x - arrays["mean"]) * (W[:, 0] - W[:, 2])
    expected = [terms[0], terms[1], terms[2:].sum()]
    np.testing.assert_allclose([part.attribution for part in explanation.parts], expected, rtol=1e-6)
    logits = model.head.logits(x[None])[0] / model.head.temperature
    assert explanation.score == pytest.approx(logits[0] - logits[2], rel=1e-6)
    assert [part.value for part in explanation.parts] == [str(cell) for cell in row.iloc[0]]


def test_both_ways_of_a_linear_head_explain_the_same_number(table, frame):
    model = table.model_
    question = Question(kind=CLASSIFICATION, code=0, against=1)
    case = case_of(model, frame.iloc[[20]], EXTRACTION)
    exact = case.ways["contributions"](question)
    kept = np.ones((1, 3), bool)
    assert question.of_predictions(case.ask(kept))[0] == pytest.approx(exact.score, abs=1e-5)
    sampled = case.ways["shapley"](question)
    assert sampled.score == pytest.approx(exact.score, abs=1e-5)
    assert sampled.values.sum() == pytest.approx(sampled.score - sampled.base, abs=1e-9)


def test_without_training_rows_a_missing_cell_is_filled_as_in_training(table, frame):
    case = case_of(table.model_, frame.iloc[[0]], EXTRACTION)
    bare = frame.iloc[[0]].astype(object)
    bare.loc[:, ["age", "city"]] = None
    asked = case.ask(np.array([[False, True, False]]))
    encoder = TableEncoder.from_state(*table.model_.encoder)
    np.testing.assert_allclose(asked, table.model_.head.predict(encoder.transform(bare)), atol=1e-6)


def test_with_training_rows_what_is_missing_is_averaged_over_them(table, frame):
    from headstart.explanations.columns import ColumnCase

    case = ColumnCase(table.model_, frame.iloc[[0]], EXTRACTION, frame.iloc[1:9])
    asked = case.ask(np.array([[True, False, False]]))
    mixed = frame.iloc[1:9].copy()
    mixed["age"] = frame["age"].iloc[0]
    encoder = TableEncoder.from_state(*table.model_.encoder)
    np.testing.assert_allclose(asked[0], table.model_.head.predict(encoder.transform(mixed)).mean(0), atol=1e-6)


def test_a_value_is_explained_in_its_own_unit(frame):
    encoder = TableEncoder.fit(frame)
    own = head(encoder.width, 1, kind=REGRESSION)
    model = fitted(None, "table", own, classes=(), encoder=encoder.state())
    explanation = explain(model, frame.iloc[[5]])[0]
    total = explanation.base + sum(part.attribution for part in explanation.parts)
    assert total == pytest.approx(float(model.predict(frame.iloc[[5]])[0]) / own.temperature, rel=1e-5)
    assert explanation.explained is None
    with pytest.raises(ValueError, match="answers with a value and has no classes"):
        explain(model, frame.iloc[[5]], label="a")


def test_a_label_of_several_is_explained_alone(frame):
    encoder = TableEncoder.fit(frame)
    own = head(encoder.width, 3, kind=MULTILABEL)
    model = fitted(None, "table", own, encoder=encoder.state())
    explanation = explain(model, frame.iloc[[5]], label="b")[0]
    p = model.predict_proba(frame.iloc[[5]])[0, 1]
    assert explanation.score == pytest.approx(np.log(p / (1 - p)), rel=1e-4)
    with pytest.raises(ValueError, match="do not compete"):
        explain(model, frame.iloc[[5]], label="b", against="a")


def test_a_head_with_a_hidden_layer_is_explained_by_shapley_values(frame):
    encoder = TableEncoder.fit(frame)
    rng = np.random.default_rng(0)
    deep = {"weight.0": rng.normal(size=(encoder.width, 8)), "bias.0": rng.normal(size=8)}
    own = head(encoder.width, 3, **deep, **{"weight.1": rng.normal(size=(8, 3)), "bias.1": np.zeros(3)})
    model = fitted(None, "table", own, encoder=encoder.state())
    explanation = explain(model, frame.iloc[[5]])[0]
    assert explanation.how == "shapley"
    assert sum(part.attribution for part in explanation.parts) == pytest.approx(
        explanation.score - explanation.base, abs=1e-9
    )
    assert any("not linear in the columns" in note for note in explanation.notes)


def test_an_array_has_columns_without_names():
    model = fitted(None, "array", head(4, 2), classes=(0, 1))
    explanation = explain(model, np.arange(8.0).reshape(2, 4))[1]
    assert [part.name for part in explanation.parts] == [f"column {place}" for place in range(4)]
    assert isinstance(explanation.to_json()["parts"], list)
    assert pd.notna(explanation.score)
