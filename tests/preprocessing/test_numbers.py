"""Rows of numbers as a network takes them."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.errors import BackboneError
from headstart.preprocessing.numbers import NumberPreprocess
from headstart.preprocessing.preprocess import preprocess_from_json, preprocess_to_json

ROWS = np.array([[1.0, 10.0, 5.0], [3.0, 30.0, 5.0], [2.0, np.nan, 5.0]])


def test_columns_are_in_units_of_their_spread_and_gaps_at_the_mean():
    form = NumberPreprocess.of(ROWS)
    assert form.mean == pytest.approx((2, 20, 5))
    assert form.scale == pytest.approx(((2 / 3) ** 0.5, 10, 1))
    prepared = np.stack([form.prepare(row)[0] for row in ROWS])
    assert prepared.dtype == np.float32
    assert prepared[:, 1].tolist() == [-1, 1, 0]
    assert not prepared[:, 2].any()
    assert form.described("rows") == "rows, 3 columns in units of their spread"


def test_it_is_the_same_after_a_round_through_json():
    form = NumberPreprocess.of(ROWS)
    assert preprocess_from_json(preprocess_to_json(form)) == form
    for field, value in [("scale", [1.0, 0.0, 1.0]), ("mean", []), ("mean", [float("nan")])]:
        with pytest.raises(BackboneError, match=rf"preprocessing: {field} = "):
            preprocess_from_json(preprocess_to_json(form) | {field: value})


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"a row of 2 numbers: this network takes 3"):
        NumberPreprocess.of(ROWS).prepare(np.zeros(2))


def test_batches_have_the_shapes_that_the_network_takes():
    form = NumberPreprocess.of(ROWS)
    (batch,) = form.collate([form.prepare(row)[0] for row in ROWS])
    assert batch.shape == (3, 3)
    assert [tuple(x.shape) for x in (*form.example(), *form.largest(), *form.resized(form.largest(), 4, 0))] == [
        (2, 3),
        (1, 3),
        (4, 3),
    ]
    assert form.probe()[0].shape == (4, 3)
    assert form.measure(form.example()) == 0
