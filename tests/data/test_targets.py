import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.targets import code, infer_kind, is_missing, plain, recode, require_kind, unusable
from headstart.errors import DataError
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.task import Task


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([1, 2]), [1, 2]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([np.str_("a"), np.int8(3), np.float32(0.5), np.bool_(True)], dtype=object), ["a", 3, 0.5, True]),
        (pd.Series(["a", "b"], dtype="category"), ["a", "b"]),
        (pd.Series([Decimal("1.5")]), [1.5]),
        ([np.array(["a", "b"]), ("c",)], [["a", "b"], ["c"]]),
    ],
)
def test_any_column_becomes_plain(values, expected):
    found = plain(values)
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


def test_missing_values():
    for value in (None, float("nan"), pd.NA, pd.NaT, "", "  "):
        assert is_missing(value)
    for value in (0, False, "NA", [], "None", float("inf")):
        assert not is_missing(value)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([["a"], []], MULTILABEL),
        (["a", "b"], CLASSIFICATION),
        ([True, False], CLASSIFICATION),
        ([1.0, 2.5], REGRESSION),
        ([1, 2.5], REGRESSION),
        ([0, 1, 2] * 5, CLASSIFICATION),
        ([1.0, 2.0] * 5, CLASSIFICATION),
        (list(range(21)), REGRESSION),
        (list(range(20)), CLASSIFICATION),
        (list(range(100)) * 10, CLASSIFICATION),
        (list(range(100)) * 9, REGRESSION),
        ([1, "a"], CLASSIFICATION),
        ([float("inf"), 0.5], REGRESSION),
        ([10**400, 1], CLASSIFICATION),
    ],
)
def test_the_kind_that_targets_ask_for(values, kind):
    found, note = infer_kind(values)
    assert found == kind
    assert note.startswith(f"kind: {kind} (the target holds")


def test_few_shot_codes_in_a_column_called_label_are_classes():
    assert infer_kind(list(range(100)) * 5, "Label")[0] == CLASSIFICATION
    assert infer_kind(list(range(100)) * 5, "age")[0] == REGRESSION


def test_unknown_kinds():
    with pytest.raises(
        DataError, match="unknown kind 'ranking': expected one of classification, regression, multilabel"
    ):
        require_kind("ranking")


def test_rows_without_a_usable_target():
    inf = float("inf")
    assert unusable([1.0, inf, None, -inf, 10**400, float("nan")], REGRESSION) == {
        1: "the target is infinite",
        2: "the target is missing",
        3: "the target is infinite",
        4: "the target is too large a number",
        5: "the target is missing",
    }
    assert unusable([["a"], [], None, ["a", None]], MULTILABEL) == {
        2: "the target is missing",
        3: "a label in the target's list is missing",
    }


@pytest.mark.parametrize(
    ("values", "classes", "codes"),
    [
        (["b", "a", "b"], ("a", "b"), [1, 0, 1]),
        ([3, 1], (1, 3), [1, 0]),
        ([2.0, 1.0], (1, 2), [1, 0]),
        ([True, False], (False, True), [1, 0]),
        ([1, "1", "b"], ("1", "b"), [0, 0, 1]),
        ([True, 1, 2], ("1", "2", "True"), [2, 0, 1]),
    ],
)
def test_classes_are_sorted_and_keep_their_type(values, classes, codes):
    targets, found = code(values, CLASSIFICATION)
    assert found == classes
    assert [type(label) for label in found] == [type(label) for label in classes]
    assert targets.tolist() == codes
    assert targets.dtype == np.int64


def test_values_and_lists_of_labels():
    targets, classes = code([1, 2.5, True], REGRESSION)
    assert (targets.tolist(), targets.dtype, classes) == ([1, 2.5, 1], np.float64, ())
    targets, classes = code([["b", "a"], [], ["b", "b"]], MULTILABEL)
    assert (targets.tolist(), targets.dtype, classes) == ([[1, 1], [0, 0], [0, 1]], np.uint8, ("a", "b"))


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        (["cat", 1.5], REGRESSION, "regression needs numbers, but the target holds 'cat'; leave the kind out"),
        ([["a"]], REGRESSION, "regression needs numbers"),
        (["a", "b"], MULTILABEL, "multilabel needs a list of labels in every row, but the target holds 'a', 'b'"),
        ([["a"], "b"], MULTILABEL, "multilabel needs a list"),
        ([["a"], ["b"]], CLASSIFICATION, "classification needs one label in every row, not lists"),
        ([["a"], "b"], CLASSIFICATION, "holds lists beside, or in, other labels"),
        ([[["a"]]], MULTILABEL, "holds lists beside, or in, other labels"),
        ([0.5, 1.5], CLASSIFICATION, "with a fraction, 0.5, 1.5, which are no classes.*label type: continuous"),
        ([datetime.date(2024, 1, 1)], CLASSIFICATION, "a target cannot be a date: expected words, numbers"),
        ([{"a": 1}], CLASSIFICATION, "a target cannot be a dict"),
    ],
)
def test_targets_that_do_not_fit_the_kind(values, kind, words):
    with pytest.raises(DataError, match=words):
        code(values, kind)


labels = (
    st.text(min_size=1) | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False).map(round)
)


@given(st.lists(labels, min_size=1))
def test_codes_lead_back_to_the_labels(values):
    targets, classes = code(values, CLASSIFICATION)
    assert list(classes) == sorted(set(classes))
    assert [str(classes[at]) for at in targets] == [str(value) for value in values]


@given(st.lists(st.lists(st.sampled_from("abcd")), min_size=1))
def test_indicators_lead_back_to_the_labels(values):
    targets, classes = code(values, MULTILABEL)
    assert [{label for label, held in zip(classes, row, strict=True) if held} for row in targets] == list(
        map(set, values)
    )


def task(targets, classes, kind=CLASSIFICATION):
    names = [f"row {i}" for i in range(len(targets))]
    return Task(inputs=list(names), targets=np.array(targets), kind=kind, modality="text", classes=classes, names=names)


def test_recode_to_the_classes_of_a_model():
    found = recode(task([0, 1, 2, 1], (1, 2, 9)), ("0", "1", "2"))
    assert found.classes == ("0", "1", "2")
    assert found.targets.tolist() == [1, 2, 2]
    assert found.inputs == ["row 0", "row 1", "row 3"]
    assert found.set_aside == (("row 2", "its label is not one that the model learnt (9)", 2),)
    assert found.places.tolist() == [0, 1, 3]


def test_recode_lists_of_labels():
    found = recode(task([[1, 0], [1, 1], [0, 0]], ("a", "z"), MULTILABEL), ("a", "b"))
    assert found.targets.tolist() == [[1, 0], [0, 0]]
    assert found.set_aside == (("row 1", "its label is not one that the model learnt ('z')", 1),)


def test_recode_leaves_what_fits():
    for same in (task([0, 1], ("a", "b")), task([0.5], (), REGRESSION)):
        assert recode(same, ("a", "b")) is same


def test_recode_when_no_label_is_known():
    with pytest.raises(
        DataError, match=r"knows none of the labels 'Cats', 'dig': it learnt 'cat', 'dog'\. Did you mean 'cat'"
    ):
        recode(task([0, 1], ("Cats", "dig")), ("cat", "dog"))
