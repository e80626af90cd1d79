"""Who is on which side: whole units, by content, and nothing on two sides."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.errors import DataError
from headstart.meta_learning.sides import Least, Units, divide


def keys_of(count):
    return [bytes([row // 256, row % 256]) * 16 for row in range(count)]


def divided(codes, *, keys=None, block=None, group=None, way=2, trains=True, seed=0):
    codes = np.asarray(codes)
    block = np.arange(len(codes)) if block is None else np.asarray(block)
    units = Units(codes, [f"class {code}" for code in range(codes.max() + 1)], "classes")
    return divide(units, keys or keys_of(len(codes)), block, group, Least(way, trains), seed=seed)


CODES = np.repeat(np.arange(20), 3)


def test_every_unit_is_on_one_side():
    sides = divided(CODES)
    assert sorted(code for side in sides.units for code in side) == list(range(20))
    assert [len(side) for side in sides.units] == [11, 3, 6]
    for rows, side in zip(sides[:3], sides.units, strict=True):
        assert sorted(set(CODES[rows])) == list(side)
        assert len(rows) == 3 * len(side)
    assert sides.notes == ()


def test_sides_go_by_content_and_seed_not_by_names_or_order():
    order = np.random.default_rng(0).permutation(60)
    renamed = np.random.default_rng(1).permutation(20)[CODES]
    keys = keys_of(60)
    plain = divided(CODES, keys=keys)
    moved = divided(renamed[order], keys=[keys[row] for row in order])
    assert {keys[row] for row in plain.test} == {[keys[row] for row in order][row] for row in moved.test}
    assert plain.units != divided(CODES, keys=keys, seed=1).units


def test_rows_of_no_unit_are_nowhere():
    codes = np.where(CODES % 5 == 0, -1, CODES)
    assert not np.isin(np.flatnonzero(codes < 0), np.concatenate(divided(codes)[:3])).any()


def test_a_duplicate_of_a_test_row_is_not_learnt_from():
    plain = divided(CODES)
    block = np.arange(60)
    block[plain.train[0]] = block[plain.test[0]]
    block[plain.train[1]] = block[plain.validation[0]]
    sides = divided(CODES, block=block)
    assert sides.units == plain.units
    assert set(plain.train) - set(sides.train) == set(plain.train[:2])
    assert sides.notes == ("2 rows left out of meta-training: duplicates, or of the same group, are on another side",)


def test_units_that_share_a_group_stay_together():
    group = np.array([f"thing {code // 4} {row % 3}" for row, code in enumerate(CODES)], dtype=object)
    for seed in range(3):
        sides = divided(CODES, group=group, seed=seed)
        things = [{code // 4 for code in side} for side in sides.units]
        assert not things[0] & things[2]
        assert not things[1] & things[2]
        assert len(sides.train) + len(sides.validation) + len(sides.test) == 60


def test_one_group_over_all_units_cannot_keep_them_together():
    sides = divided(CODES, group=np.zeros(60), block=np.arange(60))
    assert [len(side) for side in sides.units] == [11, 3, 6]


def test_few_units_leave_none_for_validation_and_too_few_are_refused():
    assert [len(side) for side in divided(CODES[:15]).units] == [3, 0, 2]
    assert [len(side) for side in divided(CODES[:12]).units] == [2, 0, 2]
    with pytest.raises(DataError, match=r"3 classes with enough rows, and meta-training and the test take 2 each"):
        divided(CODES[:9])


def test_what_trains_nothing_needs_no_units_of_its_own():
    sides = divided(CODES[:6], trains=False)
    assert [len(side) for side in sides.units] == [0, 0, 2]
    with pytest.raises(DataError, match=r"1 classes with enough rows, and an episode takes 2: name a smaller way"):
        divided(CODES[:3], trains=False)
