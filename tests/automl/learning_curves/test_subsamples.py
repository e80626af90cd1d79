"""Nested subsamples: every beginning is stratified, lacks no class and is of several blocks, in any order of rows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.automl.learning_curves.subsamples import named_sizes, nested_order, sizes_for
from headstart.data.arrays import as_task
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.listener import Logged


def rows_of(targets, kind="classification", group=None, seed=0) -> FeatureSet:
    features = np.random.default_rng(seed).normal(size=(len(targets), 3))
    return look(as_task(features, targets, kind=kind, group=group), None, Extraction(), Logged())


@given(st.lists(st.integers(1, 40), min_size=2, max_size=6), st.text(max_size=5))
def test_each_class_has_its_share_in_every_beginning(counts, salt):
    labels = np.repeat(np.arange(len(counts)), counts)
    order = nested_order(rows_of(labels), salt)
    assert sorted(order.tolist()) == list(range(len(labels)))
    drawn = labels[order]
    assert set(drawn[: len(counts)]) == set(range(len(counts)))
    twice = Counter(drawn[: 2 * len(counts)].tolist())
    for code, count in enumerate(counts):
        assert twice[code] >= min(2, count)
        share = np.cumsum(drawn == code) - count * np.arange(1, len(drawn) + 1) / len(drawn)
        # A block of the stratum is off by less than one place, and what stands in front by ten rows at most.
        assert np.abs(share).max() <= 2 * len(counts) + 10


def test_a_class_of_one_row_is_in_the_smallest_subsample():
    labels = ["many"] * 60 + ["some"] * 20 + ["once"]
    order = nested_order(rows_of(labels), "a")
    assert 80 in order[:3]


def test_values_are_drawn_from_their_whole_range():
    values = np.linspace(0, 1, 400)
    drawn = values[nested_order(rows_of(values, "regression"), "a")]
    for size in (20, 50, 100):
        counts = np.histogram(drawn[:size], bins=5, range=(0, 1))[0]
        assert counts.min() >= size / 5 - 5


def test_another_order_of_the_rows_draws_the_same_rows():
    rows = rows_of([0, 1, 2] * 30)
    shuffled = np.random.default_rng(1).permutation(len(rows))
    plain, other = nested_order(rows, "a"), nested_order(rows.take(shuffled), "a")
    assert [rows.keys[row] for row in plain] == [rows.keys[row] for row in shuffled[other]]
    assert nested_order(rows, "b").tolist() != plain.tolist()


def test_rows_of_a_group_come_together_behind_ten_groups():
    groups = np.repeat(np.arange(30), 8)
    order = nested_order(rows_of(np.arange(240) % 2, group=groups), "a")
    first = groups[order[:10]]
    assert len(set(first)) >= 8
    later = groups[order[14:]]
    changes = (later[1:] != later[:-1]).sum()
    assert changes <= 31


def test_where_a_label_of_several_is_rare_it_is_in_front():
    labels = np.zeros((60, 3), np.uint8)
    labels[:, 0], labels[::2, 1], labels[7, 2] = 1, 1, 1
    order = nested_order(rows_of(labels, "multilabel"), "a")
    assert sorted(order.tolist()) == list(range(60))
    assert 7 in order[:3]


@given(st.integers(20, 10**6), st.integers(0, 30))
def test_sizes_rise_to_all_rows_by_like_factors(rows, classes):
    sizes = sizes_for(rows, classes)
    first = max(10, 2 * classes)
    if rows < 2 * first:
        assert sizes == ()
        return
    assert (sizes[0], sizes[-1]) == (first, rows)
    assert 4 <= len(sizes) <= 8
    factors = np.array(sizes[1:]) / np.array(sizes[:-1])
    assert (factors > 1).all()
    assert factors.max() / factors.min() < 1.2


def test_sizes_that_are_named_are_sorted_and_each_is_taken_once():
    assert named_sizes([50, 20, 50, 100], 100, 2) == (20, 50, 100)


@pytest.mark.parametrize("sizes", [[9, 20], [20, 101], [0], [-5, 20], [20.5, 30], [True, 20], ["20", 30]])
def test_a_size_that_cannot_be_is_refused(sizes):
    with pytest.raises(ValueError, match=r"sizes: .* expected whole numbers from 10 .* to 100 \(all there are\)"):
        named_sizes(sizes, 100, 2)


def test_one_size_is_no_curve():
    with pytest.raises(ValueError, match="fewer than two different ones"):
        named_sizes([20, 20], 100, 2)
