import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from headstart.errors import DataError
from headstart.preprocessing.table_cells import kind_of, moments, numbers, texts


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([1, 2, 3], "number"),
        ([1.5, None, float("inf")], "number"),
        ([1, "2", None], "category"),
        ([Decimal("1.5"), None], "number"),
        (pd.array([1, None], dtype="Int64"), "number"),
        ([dt.timedelta(hours=2), None], "number"),
        ([True, False], "category"),
        (pd.array([True, None], dtype="boolean"), "category"),
        (["a", None], "category"),
        (pd.array(["a", None], dtype="string"), "category"),
        (pd.Categorical([1, 2, 1]), "category"),
        ([dt.date(2026, 1, 1), None], "moment"),
        (pd.to_datetime(["2026-01-01", None]), "moment"),
        (pd.to_datetime(["2026-01-01"]).tz_localize("Europe/Rome"), "moment"),
        ([None, None], "category"),
        ([[1], [2]], "category"),
        (np.array([], dtype=float), "number"),
    ],
)
def test_the_kind_of_a_column(cells, kind):
    assert kind_of(pd.Series(cells)) == kind


def test_complex_numbers_are_refused():
    with pytest.raises(DataError, match="column 'z' holds complex numbers; give their real and imaginary parts"):
        kind_of(pd.Series([1j], name="z"))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1, "2", " 3.5 ", "four", None, "", True], [1, 2, 3.5, np.nan, np.nan, np.nan, 1]),
        ([1e308, float("-inf"), "1e999"], [1e308, np.nan, np.nan]),
        ([Decimal("1.5"), 10**30], [1.5, 1e30]),
        (pd.array([7, None], dtype="Int64"), [7, np.nan]),
        ([dt.timedelta(hours=2), pd.NaT], [7200, np.nan]),
        (pd.to_timedelta(["1D", None]), [86400, np.nan]),
        (pd.to_datetime(["2026-01-01"]), [np.nan]),
        ([dt.date(2026, 1, 1)], [np.nan]),
        (pd.Categorical(["1", "x"]), [1, np.nan]),
        ([[1], {}], [np.nan, np.nan]),
    ],
)
def test_cells_as_numbers(cells, expected):
    np.testing.assert_array_equal(numbers(pd.Series(cells)), expected)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1, 2], ["1", "2"]),
        ([1.0, None, 2.5], ["1", None, "2.5"]),
        (pd.array([1, None], dtype="Int64"), ["1", None]),
        ([True, np.False_, "true"], ["true", "false", "true"]),
        (pd.Categorical(["a", None]), ["a", None]),
        ([[1, 2], "é"], ["[1, 2]", "é"]),
        ([pd.Timestamp("2026-01-01")], ["2026-01-01 00:00:00"]),
    ],
)
def test_cells_as_texts(cells, expected):
    assert texts(pd.Series(cells)).tolist() == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pd.to_datetime(["1970-01-02", None]), [86400, np.nan]),
        (["1970-01-01T00:00:01", "1970-01-01 00:00:01+01:00", "soon", None, 3], [1, -3599, np.nan, np.nan, np.nan]),
        ([dt.date(1970, 1, 1), dt.datetime(1970, 1, 1, 0, 0, 2)], [0, 2]),
        (pd.to_datetime(["1970-01-01 01:00"]).tz_localize("Europe/Rome"), [0]),
        ([0, 1], [np.nan, np.nan]),
        ([dt.date(1, 1, 1), dt.date(9999, 12, 31)], [-62135596800, 253402214400]),
    ],
)
def test_cells_as_moments(cells, expected):
    np.testing.assert_array_equal(moments(pd.Series(cells)), expected)
