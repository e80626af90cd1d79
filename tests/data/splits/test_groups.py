"""Blocks: what must not be divided, and an order that comes from content."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.content import text_key
from headstart.data.splits.groups import blocks, by_content, copies_of_held


def same(partition: np.ndarray) -> np.ndarray:
    return partition[:, None] == partition[None, :]


def test_duplicates_pairs_and_groups_join() -> None:
    keys = [b"a", b"a", b"b", b"c", b"d", b"e"]
    block = blocks(6, keys, [(2, 3)], ["x", None, "y", "x", None, np.nan])
    assert block.tolist() == [0, 0, 0, 0, 1, 2]
    assert blocks(3).tolist() == [0, 1, 2]
    assert blocks(0, [], np.zeros((0, 2), int), []).tolist() == []


def test_a_wrong_number_of_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="blocks of 3 rows need 3 keys and group labels, got 2"):
        blocks(3, [b"a", b"b"])


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_blocks_are_the_transitive_closure(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    row = st.integers(0, n - 1)
    keys = data.draw(st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b"e"]), min_size=n, max_size=n))
    pairs = data.draw(st.lists(st.tuples(row, row), max_size=4))
    group = data.draw(st.lists(st.sampled_from(["x", "y", "z", None]), min_size=n, max_size=n))
    linked = np.eye(n, dtype=bool)
    for i in range(n):
        for j in range(n):
            in_group = group[i] is not None and group[i] == group[j]
            linked[i, j] |= keys[i] == keys[j] or (i, j) in pairs or (j, i) in pairs or in_group
    for _ in range(n):
        linked = linked @ linked
    assert (same(blocks(n, keys, pairs, np.array(group, dtype=object))) == linked).all()


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5)), min_size=1, max_size=20), st.randoms())
@settings(max_examples=100, deadline=None)
def test_the_order_of_blocks_comes_from_content(rows: list[tuple[int, int]], random: object) -> None:
    keys, block = [text_key(str(key)) for key, _ in rows], np.array([b for _, b in rows])
    numbers = by_content(block, keys, "salt")
    assert (same(numbers) == same(blocks(len(rows), keys, group=block))).all()
    order = np.random.default_rng(len(rows)).permutation(len(rows))
    assert (by_content(block[order], [keys[i] for i in order], "salt") == numbers[order]).all()


def test_another_salt_draws_another_order() -> None:
    keys = [text_key(str(i)) for i in range(50)]
    one, other = (by_content(np.arange(50), keys, salt) for salt in ("split 0", "split 1"))
    assert sorted(one) == sorted(other) == list(range(50))
    assert (one != other).any()


def test_copies_of_held_rows_are_those_on_the_learning_side() -> None:
    given = np.array(["train", "val", "test", "train", "train", "val", "train", "test"])
    assert copies_of_held([0, 0, 0, 1, 1, 2, 2, 3], given).tolist() == [0, 1, 6]
