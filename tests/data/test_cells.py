import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.cells import typed


def column(*cells, name="c", dtype=object):
    return pd.Series(list(cells), dtype=dtype, name=name)


def values(*cells, **options):
    return typed(column(*cells), **options).values.tolist()


@pytest.mark.parametrize(
    ("cells", "expected", "dtype"),
    [
        (("1", " -2 ", "+3"), [1, -2, 3], np.int64),
        (("1", "2.5", ".5", "1e3", "-4."), [1, 2.5, 0.5, 1000, -4], np.float64),
        (("inf", "-Infinity", "1"), [np.inf, -np.inf, 1], np.float64),
        (("true", "False", "TRUE"), [True, False, True], np.bool_),
        (("0", "0.5", "-0"), [0, 0.5, 0], np.float64),
        (("\u22125", "\xa0+3\u2009", "\uff17"), [-5, 3, 7], np.int64),
        ((1, "2", 3.5), [1, 2, 3.5], np.float64),
    ],
)
def test_numbers_and_truth_values(cells, expected, dtype):
    found = typed(column(*cells))
    assert found.values.tolist() == expected
    assert found.values.dtype == dtype
    assert found.note == ""


@pytest.mark.parametrize(
    "cells",
    [
        ("007", "012"),
        ("1_000", "2"),
        ("0x10", "1"),
        ("9" * 19, "1"),
        ("yes", "no"),
        ("true", "1"),
        ("\u0661", "1e5"),
        ("1-2", "3-1"),
        ("1/2", "3/4"),
        ("1.2.3", "1.10.0"),
        ("10.0.0.1", "192.168.100.200"),
        ("+49 170 1234567", "+49 170 1234568"),
        tuple(f"612 345 67{i}" for i in range(6)),
        ("12 kg", "13 kg"),
        ("A12", "B7"),
        ("2", "3", "4", "5more") * 8,
        ("$5", "5 \u20ac") * 20,
    ],
)
def test_what_stays_words(cells):
    found = typed(column(*cells))
    assert found.values.tolist() == list(cells)
    assert found.type == "words"


@pytest.mark.parametrize(
    ("cells", "expected", "note"),
    [
        (("45,120", "1,200.5", "3"), [45120, 1200.5, 3], "'c': the comma in its numbers sets off thousands"),
        (("1.234,56", "2,5"), [1234.56, 2.5], "'c': the comma in its numbers is a decimal point; the point in its"),
        (("1 234,5", "2"), [1234.5, 2], "'c': the comma in its numbers is a decimal point; the space in its"),
        (("1'234", "12\u2019345.5"), [1234, 12345.5], "'c': the apostrophe in its numbers sets off thousands"),
        (("12,34,567", "1,00,000"), [1234567, 100000], "'c': the comma in its numbers sets off thousands"),
        (("$ 12", "-$5", "$1,200.50", "7"), [12, -5, 1200.5, 7], "'$' was taken off its numbers"),
        (("12 \u20ac", "3,5 \u20ac"), [12, 3.5], "'\u20ac' was taken off its numbers"),
        (("12 %", "3.5%", "0"), [12, 3.5, 0], "'%' was taken off its numbers (12 % is 12)"),
        (("(1,200)", "(3)", "4"), [-1200, -3, 4], "sets off thousands"),
        (("1,5e3", "2,5"), [1500, 2.5], "'c': the comma in its numbers is a decimal point"),
    ],
)
def test_numbers_as_people_write_them(cells, expected, note):
    found = typed(column(*cells))
    assert found.values.tolist() == expected
    assert note in found.note


def test_a_unit_that_all_cells_have_is_taken_off():
    found = typed(column(*(f"{i / 2} km/h" for i in range(12))))
    assert found.values.tolist() == [i / 2 for i in range(12)]
    assert (found.unit, found.note) == ("km/h", "'c': 'km/h' was taken off its numbers")


def test_a_decimal_comma_where_the_file_has_semicolons():
    assert values("1,5", "-2", decimal_comma=True) == [1.5, -2.0]
    assert typed(column("1,5"), decimal_comma=True).note == "'c': the comma in its numbers is a decimal point"
    assert values("1,5", "007", decimal_comma=True) == ["1,5", "007"]
    assert values("1,5", "1,2,3", decimal_comma=True) == ["1,5", "1,2,3"]


def test_the_whole_column_decides_what_a_comma_is():
    assert values("1,234", "5,678") == [1234, 5678]
    assert values("1,234", "5,678", decimal_comma=True) == [1.234, 5.678]
    assert values("1,234", "5,67") == [1.234, 5.67]
    assert values("950", "1,234", "45,120", decimal_comma=True) == [950, 1234, 45120]
    assert values("1950", "1,234", decimal_comma=True) == [1950, 1.234]
    assert values("1,234", "1,234,567", decimal_comma=True) == [1234, 1234567]


def test_missing_numbers_and_truth_values():
    found = typed(column("1", "", "NA", "nan", "Null", "#N/A"))
    assert found.values.isna().tolist() == [False, True, True, True, True, True]
    assert found.note == ""
    found = typed(column("true", "", "N/A"))
    assert found.values[0] is True
    assert found.values.isna().tolist() == [False, True, True]
    assert typed(column("", " ", "NA")).values.isna().all()


def test_signs_and_words_for_a_missing_number_are_named():
    cells = [str(i / 2) for i in range(30)]
    cells[3:9] = ["?", "-", "n.a.", "None", "?", "--"]
    found = typed(column(*cells), names=[f"line {i + 2}" for i in range(30)])
    assert found.type == "number"
    assert found.values.isna().sum() == 6
    assert found.note == (
        "'c': 6 cells read as missing, being no numbers: '?' (line 5 and 1 more), '-' (line 6), '--' (line 10), ..."
    )


def test_a_column_nearly_all_numbers_is_numbers():
    numbers = [str(i) for i in range(38)]
    found = typed(column(*numbers, "about 20", "see below"))
    assert found.values.tolist()[:38] == list(range(38))
    assert found.note.startswith("'c': 2 cells read as missing, being no numbers: 'about 20' (row 38)")
    mixed = [*numbers, *(f"A{i}" for i in range(6))]
    assert typed(column(*mixed)).values.tolist() == mixed
    few = [*("1", "2", "3") * 30, "other"]
    assert typed(column(*few)).type == "words"
    assert typed(column(*("1", "2", "3") * 10, *["none"] * 20)).type == "words"


def test_missing_words_count_only_among_strings_that_repeat():
    found = typed(column("a", "a", "NA", "b", "b", "null", ""))
    assert found.values.isna().tolist() == [False, False, True, False, False, True, True]
    assert found.note == "2 cells of 'c' read as missing (NA, null)"
    found = typed(column("Smith", "Null", "NA", "Ann", ""))
    assert found.values.tolist()[:4] == ["Smith", "Null", "NA", "Ann"]
    assert pd.isna(found.values[4])
    assert found.note == ""


def test_none_is_a_word():
    assert values("None", "None", "none", "x") == ["None", "None", "none", "x"]


@pytest.mark.parametrize(
    ("cells", "dtype", "expected"),
    [
        ([1, 2], "Int64", np.int64),
        ([1, None], "Int64", np.float64),
        ([True, False], "boolean", np.bool_),
        ([True, None], object, object),
        ([1, 2], "category", np.int64),
        (["1", "2"], "category", np.int64),
        ([1.5, None], "Float32", np.float64),
        ([1.5, None], "double[pyarrow]", np.float64),
        ([None, None], object, np.float64),
        ([1, 10**400], object, np.float64),
        ([1, 2**70], object, np.float64),
        ([decimal.Decimal("1.5"), None], object, np.float64),
        (pd.to_datetime(["2024-01-31", None]), None, "datetime64[us]"),
        (["2024-01-31", None], "timestamp[ns][pyarrow]", "datetime64[us]"),
        ([datetime.date(2024, 1, 31), None], object, "datetime64[us]"),
        (pd.to_timedelta(["1h", None]), None, np.float64),
        ([datetime.time(8, 30), None], object, np.float64),
    ],
)
def test_a_type_has_one_dtype_whatever_it_was_stored_as(cells, dtype, expected):
    found = typed(pd.Series(cells, dtype=dtype, name="c")).values
    assert found.dtype == expected
    assert found.isna().tolist() == [pd.isna(value) for value in cells]


@pytest.mark.parametrize("dtype", ["string", "category", object, None])
def test_words_are_strings_with_nan(dtype):
    found = typed(column("a", None, "b", dtype=dtype)).values
    assert found.tolist()[::2] == ["a", "b"]
    assert np.isnan(found[1])


def test_mixed_values_become_words():
    assert typed(column(1, "a")).values.tolist() == ["1", "a"]


def test_what_is_no_cell_stays_as_it_is():
    for cells in ([[1], [2]], [b"x"], [{"a": 1}, None]):
        found = typed(column(*cells))
        assert (found.type, found.values.tolist()) == ("other", cells)


JANUARY = pd.Timestamp("2024-01-31")


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["2024-01-31", "2024-02-12"], "date"),
        (["2024/1/31", "2024/2/12"], "date"),
        (["31.01.2024", "12.02.2024"], "date day first"),
        (["31/01/24", "12/02/24"], "date day first"),
        (["01/31/2024", "02/12/2024"], "date month first"),
        (["31 Jan 2024", "February 12, 2024"], "date"),
        ([datetime.date(2024, 1, 31), datetime.date(2024, 2, 12)], "date"),
        ([pd.Timestamp("2024-01-31"), "2024-02-12"], "date"),
    ],
)
def test_dates(cells, kind):
    found = typed(column(*cells))
    assert found.values.tolist() == [JANUARY, pd.Timestamp("2024-02-12")]
    assert found.type == kind


def test_times_and_zones():
    assert values("2024-01-31T08:30:00", "2024-01-31 09:00") == [
        JANUARY.replace(hour=8, minute=30),
        JANUARY.replace(hour=9),
    ]
    assert values("2024-01-31T02:00:00+02:00", "2024-01-31T00:00Z") == [JANUARY, JANUARY]
    assert values("01/31/2024 12:05 AM") == [JANUARY.replace(minute=5)]
    assert typed(pd.Series([JANUARY.tz_localize("Europe/Rome")])).values.tolist() == [JANUARY - pd.Timedelta("1h")]
    assert values("1 days 02:00:00", "00:00:01.5", "-1 days +23:00:00") == [26 * 3600, 1.5, -3600]
    assert values(datetime.timedelta(hours=26), "x", earlier_type="duration")[0] == 26 * 3600


def test_an_order_of_days_and_months_that_nothing_decides_is_said():
    found = typed(column("01/02/2024", "03/04/2024"))
    assert found.type == "date month first"
    assert found.note == "'c': its dates have the month first (they would read the other way too)"
    assert typed(column("01.02.2024", "03.04.2024")).type == "date day first"


def test_digits_are_dates_where_the_column_is_called_so():
    for cells in (("20240131", "20240131"), (20240131, 20240131)):
        assert typed(column(*cells, name="date")).values.tolist() == [JANUARY, JANUARY]
        assert typed(column(*cells, name="price")).values.tolist() == [20240131, 20240131]
    assert typed(column(20240131, 20241399, name="date")).type == "number"


@pytest.mark.parametrize(
    "cells", [("2024-13-01", "2024-12-01"), ("1.2.24", "1.10.3"), ("2024-02-30",), ("2009-10", "2012-13")]
)
def test_what_is_no_date(cells):
    assert typed(column(*cells)).type == "words"


def test_a_known_type_holds():
    assert values("?", "45,120", earlier_type="number")[1] == 45120
    assert values("1,5", "x", earlier_type="number")[0] == 1.5
    assert values("1,234", earlier_type="number comma") == [1.234]
    assert values("007", earlier_type="number") == [7]
    assert values("12", "013", earlier_type="words") == ["12", "013"]
    assert values("1", "false", earlier_type="truth") == [True, False]
    assert values("01/02/2024", earlier_type="date day first") == [pd.Timestamp("2024-02-01")]
    assert values(20240131, earlier_type="date") == [JANUARY]
    assert pd.isna(values("about 20", earlier_type="number")[0])
    note = typed(column("about 20"), "number").note
    assert note == "'c': 1 cell read as missing, being no numbers: 'about 20' (row 0)"


def grouped(number, mark, point):
    return f"{number:,.2f}".replace(",", "\0").replace(".", point).replace("\0", mark)


STYLES = {
    "plain": str,
    "signed": lambda x: f"{x:+.3f}",
    "scientific": lambda x: f"{x:.6e}",
    "english": lambda x: grouped(x, ",", "."),
    "german": lambda x: grouped(x, ".", ","),
    "french": lambda x: grouped(x, "\u202f", ","),
    "swiss": lambda x: grouped(x, "'", "."),
    "dollars": lambda x: ("-$" if x < 0 else "$") + grouped(abs(x), ",", "."),
    "euros": lambda x: grouped(x, ".", ",") + " \u20ac",
    "percent": lambda x: f"{x:.2f} %",
    "brackets": lambda x: f"({abs(x):,.2f})" if x < 0 else f"{x:,.2f}",
    "minus": lambda x: f"{x:.2f}".replace("-", "\u2212"),
}
TENTHS = st.integers(-(10**8), 10**8).map(lambda hundredths: hundredths / 100)


@given(st.lists(TENTHS, min_size=1, max_size=30), st.sampled_from(sorted(STYLES)), st.booleans())
def test_numbers_in_any_style_read_back(numbers, style, comma):
    cells = [STYLES[style](number) for number in numbers]
    found = typed(column(*cells), decimal_comma=comma)
    assert found.type.startswith("number")
    np.testing.assert_allclose(found.values.to_numpy(float), numbers, rtol=1e-6)


@given(
    st.lists(TENTHS, min_size=40, max_size=60),
    st.integers(0, 39),
    st.sampled_from(["?", "-", "n.a.", "None", "unknown", ""]),
)
def test_one_cell_more_or_less_changes_no_type(numbers, row, odd):
    cells = [str(number) for number in numbers]
    before = typed(column(*cells))
    cells[row] = odd
    after = typed(column(*cells))
    assert after.type == before.type == "number"
    assert np.isnan(after.values[row])
    assert (odd == "") == (after.note == "")


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.datetimes(), st.dates(), st.times(),
    st.timedeltas(), st.decimals(allow_nan=False), st.binary(max_size=2), st.lists(st.integers(), max_size=1),
    st.sampled_from(["a", "1", "1.0", "1,5", "45,120", "true", "?", "NA", "2024-01-31", "31.01.2024", "$ 5"]),
)  # fmt: skip


@given(st.lists(CELLS, max_size=12), st.randoms(use_true_random=False))
def test_any_cells_have_a_type_that_the_order_of_rows_does_not_change(cells, random):
    found = typed(column(*cells))
    assert len(found.values) == len(cells)
    order = list(range(len(cells)))
    random.shuffle(order)
    other = typed(column(*(cells[row] for row in order)))
    assert other.type == found.type
    assert list(map(repr, other.values.tolist())) == [repr(found.values.tolist()[row]) for row in order]
    again = typed(column(*cells), found.type)
    assert list(map(repr, again.values.tolist())) == list(map(repr, found.values.tolist()))
