"""The rows in use, and how rows are called."""

from __future__ import annotations

import numpy as np

from headstart.data.quality.inspection import Inspection
from headstart.tasks.task import Task

NO_PAIRS = np.zeros((0, 2), int)


def test_rows_leave_once_with_their_first_reason() -> None:
    task = Task(inputs=["a", "b", "a"], targets=None, kind="classification", modality="text")
    inspection = Inspection(task, [b"a", b"b", b"a"], NO_PAIRS)
    inspection.set_aside(np.array([2]), "one")
    inspection.set_aside([2, 0], "two")
    assert inspection.dropped == {2: "one", 0: "two"}
    assert inspection.used.tolist() == [False, True, False]
    assert inspection.copy_of.tolist() == [0, 1, 0]
    assert not inspection.given_test.any()


def test_rows_are_called_by_name_and_label() -> None:
    task = Task(
        inputs=np.zeros((3, 1)),
        targets=np.array([[1, 1], [0, 0], [0, 1]], np.uint8),
        kind="multilabel",
        modality="array",
        classes=("red", "round"),
        split=np.array(["train", "test", "val"]),
    )
    inspection = Inspection(task, [b"a", b"b", b"c"], NO_PAIRS)
    assert [inspection.label(row) for row in range(3)] == ["red, round", "none", "round"]
    assert inspection.examples([0, 2]) == ("row 0", "row 2")
    assert inspection.pair_examples([(0, 1)], labels=True) == ("row 0 (red, round) = row 1 (none)",)
    assert inspection.given_test.tolist() == [False, True, False]


def test_numbers_and_nothing_as_labels() -> None:
    number = Task(inputs=["a"], targets=np.array([1.25]), kind="regression", modality="text", names=["line 2"])
    nothing = Task(inputs=["a"], targets=None, kind="regression", modality="text")
    assert Inspection(number, [b"a"], NO_PAIRS).label(0) == "1.25"
    assert Inspection(nothing, [b"a"], NO_PAIRS).label(0) == ""
    assert Inspection(number, [b"a"], NO_PAIRS).name(0) == "line 2"
