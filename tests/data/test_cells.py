import numpy as np
import pandas as pd
import pytest

from headstart.data.cells import typed


def column(*cells):
    return pd.Series(list(cells), dtype=object, name="c")


def values(*cells, **options):
    return typed(column(*cells), **options)[0].tolist()


@pytest.mark.parametrize(
    ("cells", "expected", "dtype"),
    [
        (("1", " -2 ", "+3"), [1, -2, 3], np.int64),
        (("1", "2.5", ".5", "1e3", "-4."), [1, 2.5, 0.5, 1000, -4], np.float64),
        (("inf", "-Infinity", "1"), [np.inf, -np.inf, 1], np.float64),
        (("true", "False", "TRUE"), [True, False, True], np.bool_),
        (("0", "0.5", "-0"), [0, 0.5, 0], np.float64),
    ],
)
def test_numbers_and_truth_values(cells, expected, dtype):
    found, note = typed(column(*cells))
    assert found.tolist() == expected
    assert found.dtype == dtype
    assert note == ""


@pytest.mark.parametrize(
    "cells",
    [
        ("007", "012"),
        ("1_000", "2"),
        ("0x10", "1"),
        ("9" * 19, "1"),
        ("1,5", "2"),
        ("yes", "no"),
        ("true", "1"),
        ("-", "1"),
        ("١", "1e5"),
        (".", "1"),
    ],
)
def test_what_stays_words(cells):
    assert values(*cells) == list(cells)


def test_a_decimal_comma_where_the_file_has_semicolons():
    assert values("1,5", "-2", decimal_comma=True) == [1.5, -2.0]
    assert typed(column("1,5"), decimal_comma=True)[1] == "'c': the comma in its numbers is a decimal point"
    assert values("1,5", "007", decimal_comma=True) == ["1,5", "007"]
    assert values("1,5", "1,2,3", decimal_comma=True) == ["1,5", "1,2,3"]


def test_missing_numbers_and_truth_values():
    found, _ = typed(column("1", "", "NA", "nan", "Null", "#N/A"))
    assert found.isna().tolist() == [False, True, True, True, True, True]
    found, _ = typed(column("true", "", "N/A"))
    assert found[0] is True
    assert found.isna().tolist() == [False, True, True]
    assert typed(column("", " ", "NA"))[0].isna().all()


def test_missing_words_count_only_among_strings_that_repeat():
    found, note = typed(column("a", "a", "NA", "b", "b", "null", ""))
    assert found.isna().tolist() == [False, False, True, False, False, True, True]
    assert note == "2 cells of 'c' read as missing (NA, null)"
    found, note = typed(column("Smith", "Null", "NA", "Ann", ""))
    assert found.tolist()[:4] == ["Smith", "Null", "NA", "Ann"]
    assert pd.isna(found[4])
    assert note == ""


def test_none_is_a_word():
    assert values("None", "None", "none", "x") == ["None", "None", "none", "x"]
