import datetime

import numpy as np
import pandas as pd
import pytest

from headstart.data.profile import are_words, is_identifier, is_text, obstacle, readable


def column(values, name="c", dtype=None):
    return pd.Series(values, name=name, dtype=dtype)


def test_words():
    assert are_words(column(["a", None, "b"]))
    assert are_words(column(["a", "b"], dtype="category"))
    assert not are_words(column([1, 2]))
    assert not are_words(column([1, 2], dtype="category"))
    assert not are_words(column(["a", 1], dtype=object))
    assert not are_words(column([None, None], dtype=object))
    assert not are_words(column([], dtype=object))


def test_texts():
    sentences = [f"this is sentence number {i}" for i in range(10)]
    assert is_text(column(sentences))
    assert is_text(column(sentences + [None] * 10))
    assert not is_text(column(sentences + [None] * 11))
    assert not is_text(column(["the same four words"] * 10))
    assert not is_text(column(["two words", "and more"]))


def test_the_name_of_a_car_is_no_text(auto_mpg):
    assert not is_text(pd.read_csv(auto_mpg)["name"])


@pytest.mark.parametrize("name", ["id", "ID", "user_id", "PassengerId", "row id", "Unnamed: 0", "Sample-Key", "uuid"])
def test_identifiers_by_name(name):
    assert is_identifier(column([17, 4, 9], name))
    assert is_identifier(column(["x", "y", "z"], name))
    assert not is_identifier(column([17, 4, 4], name))
    assert not is_identifier(column([1.5, 2.5], name))


@pytest.mark.parametrize("name", ["paid", "humid", "acid", "width", "monkey"])
def test_other_names(name):
    assert not is_identifier(column([17, 4, 9], name))


def test_identifiers_by_value():
    assert is_identifier(column(range(20)))
    assert is_identifier(column(range(1, 21)))
    assert not is_identifier(column(range(2, 22)))
    assert not is_identifier(column(range(19)))
    assert not is_identifier(column(list(range(19, -1, -1))))
    assert is_identifier(column([f"x{i}" for i in range(20)]))
    assert not is_identifier(column([f"x{i}" for i in range(19)]))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (pd.to_datetime(["2024-01-01"]), "dates"),
        ([datetime.date(2024, 1, 1)], "dates"),
        (pd.to_timedelta(["1h"]), "dates"),
        ([[1, 2]], "each value a list"),
        ([None, {"a": 1}], "each value a dict"),
        ([b"x"], "each value a bytes"),
        ([1j], "complex"),
        ([1, "a", None], ""),
        ([True, None], ""),
        ([0.5], ""),
    ],
)
def test_what_a_table_cannot_read(values, why):
    assert obstacle(column(values)).startswith(why)
    assert bool(obstacle(column(values))) == bool(why)


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2], "Int64", np.int64),
        ([1, None], "Int64", np.float64),
        ([True, False], "boolean", np.bool_),
        ([True, None], object, np.float64),
        ([1, 2], "category", np.int64),
        ([1.5, None], "Float32", np.float64),
        ([None, None], object, np.float64),
        ([1, 10**400], object, np.float64),
        ([1, 2**70], object, np.float64),
    ],
)
def test_numbers_are_numpys_own(values, dtype, expected):
    found = readable(column(values, dtype=dtype))
    assert found.dtype == expected
    assert found.isna().tolist() == [value is None for value in values]


@pytest.mark.parametrize("dtype", ["string", "category", object, None])
def test_words_are_strings_with_nan(dtype):
    found = readable(column(["a", None, "b"], dtype=dtype))
    assert found.tolist()[::2] == ["a", "b"]
    assert np.isnan(found[1])


def test_mixed_values_become_words():
    assert readable(column([1, "a"], dtype=object)).tolist() == ["1", "a"]
