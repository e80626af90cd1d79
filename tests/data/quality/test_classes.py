"""Classes with too few rows, imbalance, and targets from which nothing can be learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.data.content import text_key
from headstart.data.quality.classes import target_findings, without_empty_classes
from headstart.data.quality.findings import Finding
from headstart.data.quality.inspection import Inspection
from headstart.tasks.task import Task

NO_PAIRS = np.zeros((0, 2), int)


def inspect(targets: Any, *, copies: int = 0, kind: Any = "classification", **more: Any) -> Inspection:
    """Rows 0 to `copies` are equal."""
    targets = np.array(targets)
    keys = [text_key(str(max(i, copies))) for i in range(len(targets))]
    classes = () if kind == "regression" else tuple("abcdefgh"[: int(targets.max(initial=0)) + 1])
    classes = tuple("abcdefgh"[: targets.shape[1]]) if kind == "multilabel" else classes
    task = Task(inputs=[""] * len(keys), targets=targets, kind=kind, modality="text", classes=classes, **more)
    return Inspection(task, keys, NO_PAIRS)


def only(inspection: Inspection) -> Finding:
    (finding,) = target_findings(inspection)
    return finding


def test_enough_rows_of_each_class_are_nothing_to_report() -> None:
    assert list(target_findings(inspect([0] * 9 + [1] * 5))) == []


def test_a_class_with_a_single_row_is_set_aside() -> None:
    inspection = inspect([0] * 5 + [1] * 5 + [2])
    finding = only(inspection)
    assert (finding.what, finding.count, finding.examples) == ("classes with a single row", 1, ("c",))
    assert finding.severity == "warning"
    assert inspection.dropped == {10: "its class has no other row"}


def test_copies_of_one_row_count_once() -> None:
    inspection = inspect([2] * 3 + [0] * 5 + [1] * 5, copies=2)
    assert only(inspection).examples == ("c",)
    assert sorted(inspection.dropped) == [0, 1, 2]


def test_one_row_a_class_is_an_error() -> None:
    finding = only(inspect([0, 1, 2]))
    assert (finding.what, finding.count, finding.severity) == ("classes with a single row", 3, "error")
    assert "needs 2 different rows" in finding.action


def test_one_class_only_is_an_error() -> None:
    finding = only(inspect([0] * 9))
    assert (finding.what, finding.count, finding.severity) == ("classes that can be used", 1, "error")
    assert "nothing to tell apart" in finding.action
    single, alone = target_findings(inspect([0] * 9 + [1]))
    assert single.severity == "warning"
    assert alone.severity == "error"


@pytest.mark.parametrize(
    ("targets", "copies", "what"),
    [([0, 1, 0], 2, "rows that are all equal"), ([0], 0, "usable rows"), ([], 0, "usable rows")],
)
def test_equal_rows_and_too_few_rows_are_errors(targets: list[int], copies: int, what: str) -> None:
    finding = only(inspect(np.array(targets, int), copies=copies))
    assert (finding.what, finding.count, finding.severity) == (what, len(targets), "error")


def test_a_target_that_never_changes_is_an_error() -> None:
    finding = only(inspect([2.5] * 30, kind="regression"))
    assert (finding.what, finding.count, finding.severity) == ("rows with one and the same target, 2.5", 30, "error")
    assert list(target_findings(inspect([2.5, 3.0], kind="regression"))) == []


def test_few_rows_and_imbalance() -> None:
    few, imbalance = target_findings(inspect([0] * 40 + [1] * 4 + [2] * 9))
    assert (few.what, few.count, few.examples) == ("classes with fewer than 5 rows", 1, ("b (4)",))
    assert (imbalance.count, imbalance.examples) == (10, ("a (40)", "b (4)"))
    assert "--for balanced-accuracy, the default here" in imbalance.action


def test_a_class_that_stands_in_one_group_cannot_be_tested() -> None:
    group = np.array([f"g{i}" for i in range(6)] + ["one"] * 6)
    finding = only(inspect([0] * 6 + [1] * 6, group=group))
    assert (finding.what, finding.examples) == ("classes that stand in one group", ("b",))


def test_with_a_given_test_split_no_class_is_set_aside() -> None:
    split = np.array(["train"] * 11 + ["test"] * 2)
    inspection = inspect([0] * 5 + [1] * 5 + [2] + [3, 0], split=split)
    few, unknown = target_findings(inspection)
    assert few.examples == ("c (1)", "d (1)")
    assert (unknown.what, unknown.examples) == ("classes without training rows", ("d",))
    assert not inspection.dropped


def test_a_given_split_that_trains_on_one_class_is_an_error() -> None:
    _, finding = target_findings(inspect([0] * 5 + [1] * 4, split=np.array(["train"] * 5 + ["test"] * 4)))
    assert (finding.what, finding.count, finding.severity) == ("classes with training rows", 1, "error")


def test_rare_labels() -> None:
    finding = only(inspect([[1, 1, 0]] * 4 + [[1, 0, 1]], kind="multilabel"))
    assert (finding.what, finding.examples) == ("labels with fewer than 2 rows", ("c (1)",))


def test_classes_without_rows_are_left_out() -> None:
    task = inspect([0, 2, 2, 4]).task
    left = without_empty_classes(task)
    assert left.classes == ("a", "c", "e")
    assert left.targets.tolist() == [0, 1, 1, 2]
    labels = without_empty_classes(inspect([[1, 0, 0], [1, 0, 1]], kind="multilabel").task)
    assert labels.classes == ("a", "c")
    assert labels.targets.tolist() == [[1, 0], [1, 1]]
    number = inspect([1.0, 2.0], kind="regression").task
    assert without_empty_classes(number) is number
