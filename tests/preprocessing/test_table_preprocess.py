"""The encoder of a table as the preprocessing of a backbone: there and back, and which number is of which column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from headstart.errors import BackboneError, DataError
from headstart.preprocessing.preprocess import preprocess_from_json, preprocess_to_json
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.preprocessing.table_preprocess import TablePreprocess

FRAME = pd.DataFrame({
    "age": [1.0, 2.0, np.nan, 4.0, 5.0, 6.0],
    "city": ["Rome", "Rome", "Oslo", "Oslo", "Bern", "Rome"],
})  # fmt: skip


def test_it_comes_back_from_json_and_encodes_as_the_encoder_does():
    encoder = TableEncoder.fit(FRAME)
    again = preprocess_from_json(preprocess_to_json(TablePreprocess.of(encoder)))
    assert isinstance(again, TablePreprocess)
    values = again.encode(FRAME)
    np.testing.assert_array_equal(values, encoder.transform(FRAME))
    assert values.shape == (6, again.width)
    np.testing.assert_array_equal(again.prepare(FRAME.iloc[[4]])[0], values[4])
    assert [tuple(batch.shape) for batch in (*again.largest(), *again.example())] == [
        (1, again.width),
        (2, again.width),
    ]


def test_each_number_knows_its_column():
    preprocess = TablePreprocess.of(TableEncoder.fit(FRAME))
    names = TableEncoder.fit(FRAME).names
    assert [("age", "city")[owner] for owner in preprocess.owners] == [
        name.split("=")[0].split(" ")[0] for name in names
    ]


def test_other_columns_and_other_texts_are_refused():
    preprocess = TablePreprocess.of(TableEncoder.fit(FRAME))
    with pytest.raises(DataError, match="the table has no column 'city'; expected the columns 'age', 'city'"):
        preprocess.encode(FRAME[["age"]])
    with pytest.raises(BackboneError, match="expected the state of an encoder of columns, as JSON"):
        preprocess_from_json({"kind": "table", "encoder": "{}"})
