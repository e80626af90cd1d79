"""Two tasks on common ground."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from headstart.data.pair import pair
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.errors import DataError

ROLES = Roles(target="kind")


def table(kinds, **columns):
    columns = columns or {"size": np.arange(len(kinds)) + 0.5}
    return read(pd.DataFrame({**columns, "kind": kinds}), roles=ROLES)


def test_the_columns_that_both_have_stay_in_the_order_of_the_target_and_it_is_said():
    many = np.arange(4) + 0.5
    source = table(list("abab"), size=many, age=many * 2, left=many * 3)
    target = table(list("baba"), right=many * 4, age=many * 5, size=many * 6)
    found = pair(source, target)
    assert list(found.source.inputs.columns) == list(found.target.inputs.columns) == ["age", "size"]
    assert found.source.columns.input == found.target.columns.input == ("age", "size")
    np.testing.assert_array_equal(found.source.inputs["age"], many * 2)
    np.testing.assert_array_equal(found.target.inputs["size"], many * 6)
    assert found.notes == (
        "columns that both have: 'age', 'size'",
        "columns that only the source has are left out: 'left'",
        "columns that only the target has are left out: 'right'",
    )


def test_what_agrees_needs_no_words():
    found = pair(table(list("abab")), table(list("baba")))
    assert (found.notes, found.open) == ((), ())
    assert found.target.targets.tolist() == [1, 0, 1, 0]


def test_labels_of_one_side_alone_are_named_and_counted():
    found = pair(table(list("abcabc")), table(list("adbdad")))
    assert found.target.classes == ("a", "b", "c")
    assert found.target.targets.tolist() == [0, 1, 0]
    assert found.open == (("d", 3),)
    assert found.notes[0] == "labels that only the source has: 'c'"
    assert found.notes[1].startswith("labels that only the target has: 'd'; their 3 rows are set aside")
    assert [one.why for one in found.target.set_aside] == ["its label is not one that the source has"] * 3


def test_labels_are_matched_by_their_text():
    found = pair(table(["1", "2", "x"] * 2), table([2, 1, 2, 1]))
    assert found.target.targets.tolist() == [1, 0, 1, 0]


def test_a_target_without_labels_takes_the_kind_of_the_source():
    source = table([0.5, 1.25, 2.0, 4.0])
    bare = read(pd.DataFrame({"size": [1.5, 2.5]}), need_target=False, columns=source.columns)
    found = pair(source, bare)
    assert (found.target.kind, found.target.targets) == ("regression", None)


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        (table(list("abab")), table(list("cdcd")), "no label in common: the source has 'a', 'b', the target 'c', 'd'"),
        (table(list("ab"), x=[1.0, 2.5]), table(list("ab"), y=[1.0, 2.5]), "no column in common: the source has 'x'"),
        (table(list("abab")), table([0.5, 1.5, 2.5]), "the source asks for classification, the target for regression"),
    ],
)
def test_what_has_nothing_in_common_is_refused(source, target, why):
    with pytest.raises(DataError, match=why):
        pair(source, target)


def test_other_forms_are_refused():
    words = pd.DataFrame({"text": ["a good day to be out", "what a bad book it was"], "kind": ["a", "b"]})
    texts = read(words, roles=Roles(target="kind", input="text", modality="text"))
    with pytest.raises(DataError, match="the source data hold text inputs, the target data table: give both in one"):
        pair(texts, table(list("abab")))
    bare = read(pd.DataFrame({"size": [1.5, 2.5]}), need_target=False, columns=table(list("ab")).columns)
    with pytest.raises(DataError, match="the source data have no labels"):
        pair(bare, table(list("abab")))


def test_arrays_need_as_many_columns():
    def array(width):
        return read(np.ones((3, width)), need_target=False)

    from dataclasses import replace

    source = replace(array(2), targets=np.array([0, 1, 0]), classes=("a", "b"))
    with pytest.raises(DataError, match="the source has 2 columns, the target 3: arrays have no names"):
        pair(source, array(3))
    assert len(pair(source, array(2)).target) == 3
