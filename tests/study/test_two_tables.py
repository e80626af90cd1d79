"""Two small tables: what a fit with a source looks at, leaves out, and says of it; and what `shift` says."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from headstart import DataError, Roles, fit, shift

LABEL = Roles(target="label")


def table(seed, rows=60, by=0.0, names=("no", "yes")):
    """Two columns, and a class that the first of them tells."""
    x = np.random.default_rng(seed).normal(by, 1.0, (rows, 2))
    return pd.DataFrame(x, columns=["a", "b"]).assign(label=np.where(x[:, 0] > by, names[1], names[0]))


SOURCE, TARGET = table(0, 80), table(1, by=0.7)


def fitted(target, source=SOURCE, *, roles=LABEL, method="source-only", **options):
    return fit(target, source=source, roles=roles, method=method, cache=False, **options)


def said(made):
    return " ".join(made.evidence_.notes)


def test_rows_of_other_labels_are_not_told_from_rows_without_one_where_labels_may_not_be_used():
    split = np.where(np.arange(60) < 20, "test", "train")
    strange = TARGET.assign(split=split, label=np.where((split == "train") & (TARGET["b"] > 1), "new", TARGET["label"]))
    bare = strange.assign(label=strange["label"].where(split == "test", None))
    found = [fitted(one, method="coral", target_labels="none") for one in (strange, bare)]
    np.testing.assert_array_equal(*(made.predict(TARGET[["a", "b"]]) for made in found))
    assert "labels that only the target has: 'new'" in said(found[0])
    assert "not tested" in said(found[0])
    with_labels = fitted(strange, method="coral")
    assert "are set aside" in said(with_labels)


def test_a_group_that_both_have_is_on_one_side():
    patients = np.arange(60) // 5
    source = SOURCE.assign(patient=[f"p{number}" for number in np.arange(80) // 5])
    split = np.where(patients % 4, "train", "test")  # one trial in place of fifteen
    target = TARGET.assign(patient=[f"p{number + 12}" for number in patients], split=split)
    roles = Roles(target="label", group="patient")
    made = fitted(target, source, roles=roles)
    assert "20 source rows are of groups that the target has too, and were left out of the source." in said(made)
    alone = fitted(target, source[:60], roles=roles)
    np.testing.assert_array_equal(made.predict(SOURCE), alone.predict(SOURCE))
    with pytest.raises(DataError, match="60 of 60 source rows are in the target too, or of its groups"):
        fitted(source[:60].assign(a=0.5), source[:60], roles=roles)


def test_groups_that_nobody_named_are_those_of_their_own_task():
    source = SOURCE.assign(patient_id=np.arange(80) // 2)
    target = TARGET.assign(patient_id=np.arange(60) // 2)
    made = fitted(target, source)
    assert "Learnt from 80 source rows" in said(made)
    assert "30 groups of one task are called as one of the other is, and are taken for others" in said(made)
    with pytest.raises(DataError, match="60 of 60 source rows are in the target too, or of its groups: nothing else"):
        fitted(target, source[:60], roles=Roles(target="label", group="patient_id"))


def test_roles_that_only_the_target_has_are_enough():
    target = TARGET.assign(part=np.where(np.arange(60) < 20, "test", "train"), patient=np.arange(60) // 2)
    made = fitted(target, roles=Roles(target="label", split="part", group="patient"))
    assert made.evidence_.n_test == 20
    with pytest.raises(DataError, match="the target: no column 'part'"):
        fitted(TARGET, roles=Roles(target="label", split="part"))


def test_a_class_of_which_only_copies_are_left_is_named():
    target = pd.concat([TARGET, SOURCE[SOURCE["label"] == "yes"]])
    with pytest.raises(DataError, match="none is left that says 'yes': leave such rows out of the target"):
        fitted(target)


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("source-only", {}, "Learnt from 80 source rows; answers of target rows are looked at for the test, and not"),
        ("target-only", {}, "Learnt from no source rows; answers of target rows are learnt from too."),
        ("pooled", {}, "Learnt from 80 source rows; answers of target rows are learnt from too."),
        ("coral", {}, "answers of target rows are looked at for the test, and not learnt from."),
        ("balanced", {}, "answers of target rows are learnt from too."),
        ("coral", {"target_labels": "none"}, "answers of target rows are not looked at, but for the test."),
    ],
)
def test_what_was_learnt_from_is_said(method, options, words):
    split = np.where(np.arange(60) % 4, "train", "test")  # one trial in place of fifteen
    made = fitted(TARGET.assign(split=split), method=method, **options)
    assert words in said(made)
    assert made.evidence_.n_train == (80 if options else 45)


def test_without_any_label_nothing_is_said_of_answers():
    made = fitted(TARGET.drop(columns="label"), method="source-only")
    assert "Learnt from 80 source rows. 60 target rows have no label: the encoding, the diagnosis" in said(made)


def test_a_test_table_must_have_the_columns_that_both_have():
    with pytest.raises(DataError, match="no column 'b', which the model reads"):
        fitted(TARGET, test=table(2).drop(columns="b"))
    strange = table(2).assign(label=["new"] * 5 + ["yes"] * 25 + ["no"] * 30)
    made = fitted(TARGET, test=strange)
    assert made.evidence_.n_test == 55
    assert "test data: labels that only the target has: 'new'; their 5 rows are set aside" in said(made)
    bare = fitted(TARGET.drop(columns="label"), test=table(2))
    assert bare.evidence_.n_test == 60


def test_labels_that_cannot_be_read_are_not_taken_for_none():
    source = SOURCE.assign(label=SOURCE["a"])
    with pytest.raises(DataError, match="the target: regression needs numbers, but the target holds"):
        fitted(TARGET, source)
    with pytest.raises(ValueError, match="has no use without a source: give one"):
        fit(TARGET, roles=LABEL, target_labels="none", cache=False)


def test_few_target_rows_without_labels_call_for_no_step():
    few = table(3, 6, by=2.0)
    made = fitted(few.drop(columns="label"), method="auto", test=table(4, by=2.0))
    assert made.evidence_.facts.model.method == "source-only"
    assert "6 target rows are too few to compare with" in said(made)
    found = shift(SOURCE, few, roles=LABEL, target_labels="none", cache=False)
    assert (found.kind, found.why) == ("unclear", "too few rows to test what explains the target")
    assert all(math.isnan(story.p) for story in found.stories)


def test_the_same_rows_with_other_answers_are_not_identical():
    turned = SOURCE.assign(label=np.where(SOURCE["label"] == "yes", "no", "yes"))
    assert shift(SOURCE, turned, roles=LABEL, cache=False).kind == "conditional"
    some = SOURCE.assign(label=SOURCE["label"].where(np.arange(80) < 20, None))
    for same in (SOURCE, SOURCE[::-1], some):
        assert shift(SOURCE, same, roles=LABEL, cache=False).recommendation == "identical: nothing to do"


def test_a_column_that_tells_the_tasks_apart_lets_nobody_ask_how_answers_go_with_features():
    turned = TARGET.assign(label=np.where(TARGET["label"] == "yes", "no", "yes"), year=2020.0)
    found = shift(SOURCE.assign(year=2019.0), turned, roles=LABEL, cache=False)
    assert found.conditional is not None
    assert math.isnan(found.conditional.answers)
    assert "answers go with features as in the source" not in found.why


def test_rows_and_classes_go_by_their_names():
    strange = TARGET.copy()
    strange.loc[:9, "label"] = "new"
    found = shift(SOURCE, strange, roles=LABEL, cache=False)
    assert found.names == tuple(f"row {number + 10}" for number in found.rows)
    assert found.classes == ("no", "yes")
    words = str(found)
    assert found.names[0] in words
    assert "shares if only they changed: no " in words
    assert max(map(len, words.splitlines())) < 80
