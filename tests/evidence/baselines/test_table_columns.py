"""Columns as trees take them, whatever pandas made of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from headstart.evidence.baselines.table_columns import Columns

FRAME = pd.DataFrame(
    {
        "number": [1.5, np.inf, np.nan],
        "whole": pd.array([1, None, 3], dtype="Int64"),
        "truth": [True, False, True],
        "word": ["b", "a", None],
        "kind": pd.Categorical(["x", "y", "x"]),
        "mixed": [1, "one", None],
        "day": pd.to_datetime(["2020-01-01", None, "2020-01-02"]),
        "gone": [None, None, None],
    }
)


def test_each_kind_of_column() -> None:
    nan = np.nan
    found = Columns.of(FRAME).encode(FRAME)
    expected = {
        "number": [1.5, nan, nan],
        "whole": [1, nan, 3],
        "truth": [1, 0, 1],
        "word a": [0, 1, 0],
        "word b": [1, 0, 0],
        "kind x": [1, 0, 1],
        "kind y": [0, 1, 0],
        "mixed 1": [1, 0, 0],
        "mixed one": [0, 1, 0],
        "day": [found[0, 9], nan, found[2, 9]],
        "gone": [0, 0, 0],
    }
    assert pytest.approx(np.array(list(expected.values())), nan_ok=True) == found.T
    assert found[2, 9] > found[0, 9]
    assert not Columns.of(FRAME).categorical.any()
    assert Columns.of(FRAME).most_codes == 0


def test_new_rows_are_read_as_the_old_ones() -> None:
    columns = Columns.of(FRAME)
    new = FRAME.iloc[[1]].assign(word="never seen", kind="x")
    assert columns.encode(new)[0, 3:7].tolist() == [0, 0, 1, 0]


def test_many_categories_are_codes_and_the_rarest_are_left_out() -> None:
    frame = pd.DataFrame({"id": [f"{i:03d}" for i in range(300)] + ["299"], "x": 1.0})
    columns = Columns.of(frame)
    assert columns.categorical.tolist() == [True, False]
    assert columns.most_codes == 254
    codes = columns.encode(frame)[:, 0]
    assert np.isnan(codes).sum() == 46
    assert codes[-1] == codes[299] == 0
    assert np.nanmax(codes) == 253


def test_an_array() -> None:
    array = np.array([[1.0, np.nan], [np.inf, 2.0]])
    assert Columns.of(array).encode(array) == pytest.approx(np.array([[1, np.nan], [np.nan, 2]]), nan_ok=True)
