from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.losses import lost_rows, require_few_lost
from headstart.data.read import read
from headstart.errors import DataError
from headstart.tasks.task import Foreign, SetAside, Task


def task(rows, lost, others=()):
    inputs = [str(row) for row in range(rows - len(lost))]
    places = [row for row in range(rows) if row not in lost]
    aside = (*(SetAside(f"row {row}", why, row) for row, why in lost.items()), *others)
    read = np.array(places, np.int64)
    return Task(inputs=inputs, targets=None, kind="classification", modality="text", places=read, set_aside=aside)


def test_one_row_in_twenty_may_be_lost_and_not_one_more():
    require_few_lost(task(20, {3: "broken"}), allow=False)
    with pytest.raises(DataError, match="2 of 39 rows of the test data cannot be used, and more than 5% of the rows"):
        require_few_lost(task(39, {3: "broken", 38: "broken"}), allow=False, of="the test data")
    require_few_lost(task(39, {3: "broken", 38: "broken"}), allow=True)


def test_the_error_names_causes_examples_and_the_way_out():
    lost = {0: "the target is missing", 2: "not UTF-8", 3: "the target is missing", 5: "the target is missing"}
    words = (
        r"4 of 10 rows of the data cannot be used.*Why: the target is missing \(3 rows\); not UTF-8 \(1 row\)\. "
        r"First: 'row 0', 'row 2', 'row 3' and 1 more\. .*--allow-losses \(in Python allow_losses"
    )
    with pytest.raises(DataError, match=words):
        require_few_lost(task(10, lost), allow=False)


def test_seven_causes_are_five_and_two_more():
    with pytest.raises(DataError, match="; and 2 more causes"):
        require_few_lost(task(10, {row: f"cause {row}" for row in range(7)}), allow=False)


def test_what_is_no_row_or_is_whole_is_not_lost():
    others = [SetAside("a.zip", "not a picture"), Foreign("row 1", "its label is not known", 1)] * 9
    require_few_lost(task(10, {}, others), allow=False)
    assert lost_rows(task(10, {4: "broken"}, [*others, SetAside("row 4", "twice", 4)])) == [("row 4", "broken", 4)]


def test_empty_texts_are_lost_to_who_learns_but_not_in_a_given_test():
    texts = ["a", "", "b", " ", "c"]
    split = np.array(["train", "train", "train", "test", "test"])
    learnt = replace(task(5, {}), inputs=texts, names=[f"row {row}" for row in range(5)])
    assert lost_rows(learnt) == []
    assert [item.place for item in lost_rows(learnt, learnt=True)] == [1, 3]
    assert lost_rows(replace(learnt, split=split), learnt=True) == [("row 1", "the text is empty", 1)]


def test_a_part_of_the_rows_by_itself():
    joined = task(30, {25: "broken", 26: "broken"})
    require_few_lost(joined, allow=False, stop=20)
    with pytest.raises(DataError, match="2 of 10 rows"):
        require_few_lost(joined, allow=False, start=20)


@given(st.integers(1, 400), st.data())
def test_the_rule_is_a_twentieth_of_all_rows(rows, data):
    count = data.draw(st.integers(0, rows))
    some = task(rows, dict.fromkeys(data.draw(st.permutations(range(rows)))[:count], "broken"))
    if 20 * count > rows:
        with pytest.raises(DataError, match=f"{count} of {rows} rows"):
            require_few_lost(some, allow=False)
    else:
        require_few_lost(some, allow=False)


def test_missing_targets_and_broken_records_are_lost_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "some words,a\nother words,b\n" * 5 + "broken\nno label,\n")
    assert [(item.name, item.place) for item in lost_rows(read(path))] == [("line 12", 10), ("line 13", 11)]
    frame = pd.DataFrame({"text": ["a", None, "b"], "label": ["x", "y", "y"]})
    assert [item.place for item in lost_rows(read(frame))] == [1]
