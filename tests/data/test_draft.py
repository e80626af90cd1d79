import numpy as np
import pandas as pd
import pytest

from headstart.data.draft import Draft, finish
from headstart.errors import DataError
from headstart.tasks import REGRESSION
from headstart.tasks.task import SetAside


def draft(targets, **fields):
    inputs = [f"text {i}" for i in range(len(targets))]
    names = [f"row {i}" for i in range(len(targets))]
    return Draft(inputs=inputs, modality="text", names=names, targets=targets, **fields)


def test_unusable_rows_are_set_aside_and_their_classes_go():
    found = finish(
        draft(["b", "a", None, "only here", "b"], broken={3: "no such file"}, set_aside=[SetAside("line 9", "ragged")]),
        None,
    )
    assert found.inputs == ["text 0", "text 1", "text 4"]
    assert found.targets.tolist() == [1, 0, 1]
    assert found.classes == ("a", "b")
    assert found.set_aside == (
        ("line 9", "ragged", None),
        ("row 2", "the target is missing", 2),
        ("row 3", "no such file", 3),
    )
    assert found.places.tolist() == [0, 1, 4]
    assert (found.n_read, found.take([2, 0]).places.tolist()) == (5, [4, 0])


def test_what_a_broken_row_lacks_is_told_first():
    assert finish(draft([None, "a", "b"], broken={0: "no such file"}), None).set_aside[0].why == "no such file"


def test_infinite_targets_are_set_aside():
    found = finish(draft([1.5, np.inf, 2.0, np.nan]), None)
    assert found.kind == REGRESSION
    assert found.targets.tolist() == [1.5, 2.0]
    assert [lost.why for lost in found.set_aside] == ["the target is infinite", "the target is missing"]


def test_a_missing_group_is_its_own():
    found = finish(draft(["a", "b", "a"], group=[1, None, pd.NA], domain=["x", None, "y"]), None)
    assert found.group.tolist() == ["1", "(row 1 alone)", "(row 2 alone)"]
    assert found.domain.tolist() == ["x", "", "y"]


def test_a_split_of_one_side_is_none():
    assert finish(draft(["a", "b"], split=["train", "test"]), None).split.tolist() == ["train", "test"]
    found = finish(draft(["a", "b"], split=["train", "train"]), None)
    assert found.split is None
    assert "split: all rows are 'train', so there is none" in found.notes


def test_one_class_only():
    with pytest.raises(DataError, match="only one class, 'a', in all 2 rows"):
        finish(draft(["a", "a"]), None)
    assert finish(draft(["a", "a"]), None, one_class=True).classes == ("a",)
    half = draft(["a", "b", "a", "b"])
    half.broken = {1: "not UTF-8 (byte 0xe8)", 3: "not UTF-8 (byte 0xe8)"}
    with pytest.raises(DataError, match=r"or mend the 2 that cannot be used: not UTF-8 \(byte 0xe8\) \(2 rows\)"):
        finish(half, None)


def test_no_rows_at_all():
    with pytest.raises(DataError, match="there are no rows: at least one is needed"):
        finish(draft([]), None)
    with pytest.raises(DataError, match="all 2 were set aside, the first of them row 0: the target is missing"):
        finish(draft([None, ""]), None)


def test_all_rows_equal_is_no_matter_here():
    assert len(finish(draft(["a", "b"] * 3), None)) == 6


def test_without_targets():
    found = finish(Draft(inputs=["x"], modality="text", names=["row 0"]), REGRESSION)
    assert (found.targets, found.kind, found.classes) == (None, REGRESSION, ())


def test_unknown_kinds():
    with pytest.raises(DataError, match="unknown kind 'ranking'"):
        finish(draft(["a", "b"]), "ranking")
