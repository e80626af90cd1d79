"""Splits and folds: by content, stratified, blocks whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.model_selection import StratifiedGroupKFold

from headstart.data.content import row_keys, text_key
from headstart.data.splits.groups import blocks
from headstart.data.splits.split import folds, split
from headstart.errors import DataError
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def keys_of(n: int) -> list[bytes]:
    return [text_key(f"row {i}") for i in range(n)]


@st.composite
def tasks(draw: st.DrawFn) -> tuple[Any, str, np.ndarray, list[bytes]]:
    n = draw(st.integers(2, 40))
    kind = draw(st.sampled_from([CLASSIFICATION, REGRESSION, MULTILABEL, "unknown"]))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    targets = {
        CLASSIFICATION: random.integers(0, draw(st.integers(1, 6)), n),
        REGRESSION: random.integers(0, 9, n) / 3,
        MULTILABEL: (random.random((n, 4)) < 0.3).astype(np.uint8),
        "unknown": None,
    }[kind]
    block = random.integers(0, draw(st.integers(2, 60)), n)
    keys = keys_of(n)
    for copy in random.integers(0, n, draw(st.integers(0, 3))):
        keys[copy] = keys[0]
    return targets, CLASSIFICATION if kind == "unknown" else kind, block, keys


def any_block_can_be_spared(targets: Any, kind: str, block: np.ndarray) -> bool:
    held = {b: set() for b in set(block)}
    for row, b in enumerate(block):
        if kind == MULTILABEL:
            held[b] |= set(np.flatnonzero(targets[row]))
        elif kind == CLASSIFICATION and targets is not None:
            held[b].add(targets[row])
    rest = {b: set().union(*(held[other] for other in held if other != b)) for b in held}
    return len(held) > 1 and any(held[b] <= rest[b] for b in held)


@given(tasks(), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_a_split_parts_all_rows_keeps_blocks_and_ignores_row_order(task: Any, seed: int) -> None:
    targets, kind, block, keys = task
    n, joined = len(keys), blocks(len(keys), keys, group=block)
    if not any_block_can_be_spared(targets, kind, joined):
        with pytest.raises(DataError, match="cannot split"):
            split(targets, kind, block, keys, test=0.3, seed=seed)
        return
    train, test = split(targets, kind, block, keys, test=0.3, seed=seed)
    assert sorted([*train, *test]) == list(range(n))
    assert len(train)
    assert len(test)
    assert not set(joined[train]) & set(joined[test])
    if kind == CLASSIFICATION and targets is not None:
        assert set(targets) == set(targets[train])
    order = np.random.default_rng(seed).permutation(n)
    moved = split(
        None if targets is None else targets[order], kind, block[order], [keys[i] for i in order], test=0.3, seed=seed
    )
    assert sorted(order[moved.test]) == test.tolist()


@given(tasks(), st.integers(2, 7))
@settings(max_examples=200, deadline=None)
def test_folds_part_all_rows_keep_blocks_and_ignore_row_order(task: Any, k: int) -> None:
    targets, kind, block, keys = task
    joined = blocks(len(keys), keys, group=block)
    count = len(set(joined))
    if count < 2:
        with pytest.raises(DataError, match=r"cannot cross-validate \d+ rows: at least 2 are needed"):
            folds(targets, kind, block, keys, k=k)
        return
    fold = folds(targets, kind, block, keys, k=k)
    assert set(fold) == set(range(min(k, count)))
    assert all(len(set(fold[joined == b])) == 1 for b in set(joined))
    order = np.random.default_rng(k).permutation(len(keys))
    moved = folds(None if targets is None else targets[order], kind, block[order], [keys[i] for i in order], k=k)
    assert (moved == fold[order]).all()


def test_every_class_keeps_its_share() -> None:
    x, y = load_digits(return_X_y=True)
    keys = row_keys(x)
    train, test = split(y, CLASSIFICATION, np.arange(len(y)), keys)
    assert np.abs(np.bincount(y[test]) / np.bincount(y) - 0.25).max() < 0.005
    assert len(train) + len(test) == len(y)
    fold = folds(y, CLASSIFICATION, np.arange(len(y)), keys)
    each = np.array([np.bincount(y[fold == i], minlength=10) for i in range(5)])
    assert np.ptp(each, axis=0).max() <= 1
    assert np.ptp(np.bincount(fold)) <= 1


def test_numbers_keep_their_distribution() -> None:
    x, y = load_diabetes(return_X_y=True)
    train, test = split(y, REGRESSION, np.arange(len(y)), row_keys(x))
    assert np.abs(np.quantile(y[train], [0.1, 0.5, 0.9]) - np.quantile(y[test], [0.1, 0.5, 0.9])).max() < 0.1 * np.ptp(
        y
    )
    fold = folds(y, REGRESSION, np.arange(len(y)), row_keys(x))
    assert np.ptp([y[fold == i].mean() for i in range(5)]) < 0.1 * y.std()


def test_labels_keep_their_shares_rare_ones_too() -> None:
    random = np.random.default_rng(0)
    labels = (random.random((400, 12)) < np.geomspace(0.5, 0.02, 12)).astype(np.uint8)
    total = labels.sum(axis=0)
    test = split(labels, MULTILABEL, np.arange(400), keys_of(400)).test
    assert (np.abs(labels[test].sum(axis=0) - total / 4) <= np.maximum(1.5, 0.1 * total)).all()
    fold = folds(labels, MULTILABEL, np.arange(400), keys_of(400))
    each = np.array([labels[fold == i].sum(axis=0) for i in range(5)])
    assert np.ptp(each, axis=0).max() <= 3
    assert np.ptp(np.bincount(fold)) <= 2


@pytest.mark.parametrize("seed", range(3))
def test_grouped_folds_are_as_even_as_those_of_scikit_learn(seed: int) -> None:
    x, y = load_digits(return_X_y=True)
    group = np.random.default_rng(seed).geometric(0.02, len(y))
    ours = folds(y, CLASSIFICATION, group, row_keys(x), seed=seed)
    theirs = np.zeros(len(y), int)
    for i, (_, test) in enumerate(StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(x, y, group)):
        theirs[test] = i

    def unevenness(fold: np.ndarray) -> float:
        each = np.array([np.bincount(y[fold == i], minlength=10) for i in range(5)])
        return float((each / np.bincount(y)).std(axis=0).mean())

    assert unevenness(ours) <= unevenness(theirs) * 1.05
    assert all(len(set(ours[group == g])) == 1 for g in set(group))


def test_more_rows_move_few_rows() -> None:
    x, y = load_digits(return_X_y=True)
    block, keys = np.arange(1600), row_keys(x)
    before = split(y[:1600], CLASSIFICATION, block, keys[:1600])
    after = split(y, CLASSIFICATION, np.arange(len(y)), keys)
    side = np.zeros(len(y), bool)
    side[after.test] = True
    assert (side[:1600] != np.isin(block, before.test)).mean() < 0.03


def test_grouped_rows_split_near_the_wanted_share() -> None:
    x, y = load_wine(return_X_y=True)
    group = np.arange(len(y)) // 7
    train, test = split(y, CLASSIFICATION, group, row_keys(x), test=0.3)
    assert 0.2 < len(test) / len(y) < 0.4
    assert set(y[test]) == set(y[train]) == {0, 1, 2}


def test_two_rows_a_class_part_one_and_one() -> None:
    y = np.repeat(np.arange(6), 2)
    train, test = split(y, CLASSIFICATION, np.arange(12), keys_of(12))
    assert sorted(y[train]) == sorted(y[test]) == list(range(6))


def test_a_class_of_large_blocks_still_reaches_the_test_rows() -> None:
    y = np.array([0] * 40 + [1] * 40)
    block = np.concatenate([np.arange(40), 40 + np.arange(40) // 20])
    train, test = split(y, CLASSIFICATION, block, keys_of(80))
    assert (y[test] == 1).sum() == (y[train] == 1).sum() == 20


def test_another_seed_draws_other_rows() -> None:
    y = np.repeat([0, 1], 50)
    tests = {tuple(split(y, CLASSIFICATION, np.arange(100), keys_of(100), seed=seed).test) for seed in range(3)}
    assert len(tests) == 3
    assert (folds(y, CLASSIFICATION, np.arange(100), keys_of(100), seed=1) != 0).any()


def test_impossible_splits_say_why() -> None:
    with pytest.raises(DataError, match="cannot split 4 rows: at least 2 are needed that are not duplicates"):
        split(np.array([0, 1, 0, 1]), CLASSIFICATION, np.zeros(4, int), keys_of(4))
    with pytest.raises(DataError, match="cannot split 1 row: at least 2"):
        split(np.array([0]), CLASSIFICATION, np.zeros(1, int), keys_of(1))
    with pytest.raises(DataError, match="cannot cross-validate 0 rows"):
        folds(np.zeros(0, int), CLASSIFICATION, np.zeros(0, int), [])
    with pytest.raises(DataError, match="cannot split 4 rows: each of their 2 blocks"):
        split(np.array([0, 0, 1, 1]), CLASSIFICATION, [0, 0, 1, 1], keys_of(4))


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="test=25: expected a share of the rows between 0 and 1"):
        split(np.array([0, 1]), CLASSIFICATION, np.arange(2), keys_of(2), test=25)
    with pytest.raises(ValueError, match="k=1: expected at least 2 folds"):
        folds(np.array([0, 1]), CLASSIFICATION, np.arange(2), keys_of(2), k=1)
