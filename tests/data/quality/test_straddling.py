"""Rows on both sides of a split that came with the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.data.content import content_keys
from headstart.data.quality.duplicates import near_pairs
from headstart.data.quality.inspection import Inspection
from headstart.data.quality.straddling import straddling_findings
from headstart.tasks.task import Task


def inspection(inputs: list[str], split: list[str] | None, **more: Any) -> Inspection:
    n = len(inputs)
    task = Task(
        inputs=inputs, targets=np.arange(n) % 2, kind="classification", modality="text", classes=("a", "b"),
        names=[f"line {i}" for i in range(n)], split=None if split is None else np.array(split), **more,
    )  # fmt: skip
    keys = content_keys(inputs, "text")
    return Inspection(task, keys, near_pairs(task, keys))


def test_training_rows_that_repeat_test_rows_leave() -> None:
    seen = inspection(
        ["one", "two", "Two!", "three", "one", "three", "four"],
        ["train", "train", "test", "val", "test", "train", "test"],
    )
    (finding,) = straddling_findings(seen)
    assert (finding.what, finding.count) == ("training rows that repeat test rows", 3)
    assert finding.examples == ("line 0 = line 4", "line 1 = line 2", "line 5 = line 3")
    assert sorted(seen.dropped) == [0, 1, 5]


def test_real_sentences_handed_in_twice(amazon) -> None:
    from headstart.data.read import read

    task = read(str(amazon))
    given = np.asarray(task.split)
    planted = np.flatnonzero(given == "test")[:4]
    both = task.take([*range(len(task)), *planted])
    both = Task(**{**both.__dict__, "split": np.array([*given, *["train"] * 4])})
    keys = content_keys(both.inputs, "text")
    seen = Inspection(both, keys, near_pairs(both, keys))
    (finding,) = straddling_findings(seen)
    assert set(range(len(task), len(both))) <= set(seen.dropped)
    assert finding.count == len(seen.dropped) < 12
    assert not set(seen.dropped) & set(np.flatnonzero(given == "test"))


def test_declared_groups_that_straddle_leave_training() -> None:
    seen = inspection(
        ["one", "two", "three", "four"],
        ["train", "train", "test", "test"],
        group=np.array(["film A", "film B", "film B", None], dtype=object),
    )
    (finding,) = straddling_findings(seen)
    assert (finding.what, finding.count) == ("training rows of groups that straddle the given split", 1)
    assert finding.examples == ("group film B",)
    assert seen.dropped == {1: "its group stands in the given test split too"}


def test_nothing_straddles_without_a_test_split() -> None:
    assert list(straddling_findings(inspection(["one", "one"], None))) == []
    assert list(straddling_findings(inspection(["one", "one"], ["train", "val"]))) == []
