"""Rows to test on whose class no training row has."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.data.unlearnt import as_learnt, codes_among, to_classes
from headstart.errors import DataError
from headstart.tasks import CLASSIFICATION, MULTILABEL
from headstart.tasks.task import Task


def task(targets, classes, kind=CLASSIFICATION, split=None):
    targets = np.array(targets)
    split = None if split is None else np.array(split)
    return Task(
        inputs=[*range(len(targets))], targets=targets, kind=kind, modality="text", classes=classes, split=split
    )


def test_labels_are_matched_by_their_text():
    assert codes_among((1, 2, 9), ("0", "1", "2")).tolist() == [1, 2, -1]
    with pytest.raises(DataError, match=r"knows none of the labels 'pos', 'neg': it learnt 'positive', 'no'.*positive"):
        codes_among(("pos", "neg"), ("positive", "no"))


def test_a_label_that_is_no_class_stays_with_its_row():
    found = to_classes(task([0, 1, 2, 1], (1, 2, 9)), ("0", "1", "2"))
    assert (found.targets.tolist(), found.classes) == ([1, 2, -1, 2], ("0", "1", "2"))
    assert found.unlearnt.tolist() == [(), (), (9,), ()]
    assert found.take([2, 0]).unlearnt.tolist() == [(9,), ()]
    assert to_classes(task([0, 1], (1, 2)), ("2", "1")).unlearnt is None


def test_several_labels_a_row():
    found = to_classes(task([[1, 0, 0], [1, 1, 1], [0, 0, 0]], ("a", "y", "z"), MULTILABEL), ("b", "a"))
    assert found.targets.tolist() == [[0, 1], [0, 1], [0, 0]]
    assert found.unlearnt.tolist() == [(), ("y", "z"), ()]


@pytest.mark.parametrize("name", ["test", "val"])
def test_classes_of_tested_rows_alone_are_not_learnt(name):
    found = as_learnt(task([0, 2, 1, 2], ("a", "b", "c"), split=["train", "train", name, name]))
    assert (found.classes, found.targets.tolist()) == (("a", "c"), [0, 1, -1, 1])
    assert found.unlearnt.tolist() == [(), (), ("b",), ()]


def test_rows_for_validation_are_learnt_from_where_others_are_tested():
    given = task([0, 1, 2, 1], ("a", "b", "c"), split=["train", "val", "val", "test"])
    assert as_learnt(given) is given
