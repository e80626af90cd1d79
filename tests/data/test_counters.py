import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, load_iris, load_wine

from headstart.data.counters import count_of_rows, order_tells, whole_numbers


def column(values, name="c"):
    return pd.Series(values, name=name)


def test_whole_numbers_whatever_their_type():
    for values in ([1, 2], [1.0, 2.0], pd.array([1, 2], dtype="Int64"), np.array([1, 2], np.uint8)):
        assert whole_numbers(column(values)).tolist() == [1, 2]
    for values in ([1, None], [1.5, 2], [np.inf, 1], ["1", "2"], [True, False], [1e300, 1]):
        assert whole_numbers(column(values)) is None


def test_an_index_in_any_order():
    shuffled = np.random.default_rng(0).permutation(400)
    assert count_of_rows(column(shuffled)) == "counts the rows: 400 whole numbers from 0 to 399, none twice"
    for values in (range(20), range(1, 21), range(19, -1, -1), shuffled * 10.0, shuffled + 1461, shuffled[:300]):
        assert count_of_rows(column(list(values)))
    assert not count_of_rows(column(range(19)))
    assert not count_of_rows(column([*range(30), 7]))


def test_a_part_of_an_index_after_a_split():
    order = np.random.default_rng(1).permutation(1000)
    for part in (order[:800], order[800:], np.sort(order[:500])):
        assert count_of_rows(column(part))


@pytest.mark.parametrize(
    "values",
    [
        column(range(1990, 2021)),
        column(range(20, 65)),
        column(range(100), "year"),
        column(range(1, 101), "world rank"),
        column(range(1000), "time"),
        column(np.random.default_rng(0).choice(100_000, 300, replace=False)),
        column(np.random.default_rng(0).integers(0, 60, 40)),
    ],
)
def test_measurements_are_no_counters(values):
    assert count_of_rows(values) == ""


def test_real_columns_are_no_counters(auto_mpg, penguins):
    frames = [load_iris(as_frame=True).frame, load_wine(as_frame=True).frame, load_diabetes(as_frame=True).frame]
    frames += [pd.read_csv(auto_mpg), pd.read_csv(penguins)]
    for frame in frames:
        for part in (frame, frame.sample(40, random_state=0)):
            assert [name for name in part if count_of_rows(part[name])] == []


@given(st.integers(20, 200), st.integers(-1000, 5000), st.integers(1, 50), st.randoms(use_true_random=False))
def test_every_permutation_of_a_range_counts(rows, start, step, random):
    values = [start + step * i for i in range(rows)]
    random.shuffle(values)
    years = min(values) >= 1800 and max(values) <= 2100
    ages = min(values) >= 2 and max(values) <= 130
    assert bool(count_of_rows(column(values))) == (not years and not ages)


def test_what_the_order_of_a_file_tells():
    rng = np.random.default_rng(0)
    order = rng.permutation(200)
    classes = np.where(order < 120, "yes", "no").tolist()
    told = "in its order rows of one class stand together, so that it tells the class"
    assert order_tells(order, classes) == told
    assert order_tells(order, rng.permutation(classes).tolist()) == ""
    rising = (order + rng.normal(0, 5, 200)).tolist()
    assert order_tells(order, rising).startswith("in its order the target rises or falls (rank correlation ")
    assert order_tells(order, rng.normal(size=200).tolist()) == ""
    assert order_tells(order, [None] * 200) == ""
    assert order_tells(np.arange(2), [["a"], ["b"]]) == ""
