import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.labels import fold, folded, likeness
from headstart.data.read import read


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("plain", "plain"),
        (" positive ", "positive"),
        ("very  good\tindeed\n", "very good indeed"),
        ("no\u00a0break\u202f", "no break"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("soft\u00adhyphen\u200e", "softhyphen"),
        ("cafe\u0301", "café"),
        ("joined\u200d", "joined"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("\u200b ", ""),
        ("Positive", "Positive"),
        ("a-b_c", "a-b_c"),
    ],
)
def test_what_cannot_be_seen_is_folded(label, expected):
    assert fold(label) == expected


def test_the_note_counts_cells_and_shows_what_was_folded():
    values, notes = folded(["a ", "a", "a ", 3, None, True, ["b\u00a0", "b"], "cafe\u0301"])
    assert values == ["a", "a", "a", 3, None, True, ["b", "b"], "café"]
    assert notes == [
        "labels: in 4 cells spaces or invisible characters are folded: 'a ' -> 'a', 'b\\xa0' -> 'b', "
        "'cafe\u0301' -> 'café'"
    ]
    assert folded(["a", 1]) == (["a", 1], [])


@given(st.text())
def test_folding_twice_is_folding_once(label):
    assert fold(fold(label)) == fold(label)
    assert fold(f" {label}\u200b\n") == fold(label)
    assert fold(unicodedata.normalize("NFD", label)) == fold(label)


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ("Positive", "positive", True),
        ("yes.", "YES", True),
        ("ice cream", "ice-cream", True),
        ("ice_cream", "Ice cream", True),
        ("ＡＢ", "ab", True),
        ("straße", "STRASSE", True),
        ("A", "A+", False),
        ("C", "C++", False),
        ("1", "10", False),
        ("+", "-", False),
        ("!", "?", False),
    ],
)
def test_labels_that_look_like_one(one, two, alike):
    assert (likeness(one) == likeness(two)) == alike


LABELS = ["positive", "positive ", "Positive", "negative", "negative\u00a0", "positive\u200b"] * 4
TEXTS = [f"text number {row} of the collection says something" for row in range(len(LABELS))]


def frames(labels):
    frame = pd.DataFrame({"text": TEXTS, "label": labels})
    return frame, frame.astype({"label": "category"}), frame.astype({"label": "string"})


def test_the_same_classes_from_every_container(tmp_path):
    frame, *others = frames(LABELS)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "a.parquet")
    tasks = [
        read(source)
        for source in (frame, *others, *(str(tmp_path / f"a.{end}") for end in ("csv", "jsonl", "parquet")))
    ]
    for task in tasks:
        assert task.classes == ("Positive", "negative", "positive")
        assert task.targets.tolist() == [2, 2, 0, 1, 1, 2] * 4
        assert sum(note.startswith("labels: in 12 cells spaces") for note in task.notes) == 1


def test_lists_of_labels_and_names_of_folders_are_folded_too(tmp_path):
    frame = pd.DataFrame({"text": TEXTS[:4], "label": [["a ", "b"], ["a"], ["b\u200b"], []]})
    assert read(frame).classes == ("a", "b")
    for folder, name in (("cat", "1"), ("dog ", "2"), ("dog", "3"), ("cafe\u0301", "4"), ("café", "5")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.txt").write_text(f"text {name}")
    assert read(tmp_path).classes == ("café", "cat", "dog")


def test_a_label_of_nothing_visible_is_missing():
    task = read(pd.DataFrame({"text": TEXTS[:6], "label": ["a", "b", "a", "b", "\u200b", "\u00a0"]}))
    assert [item.why for item in task.set_aside] == ["the target is missing"] * 2


def test_na_is_a_code_among_codes_and_missing_among_words(tmp_path):
    for labels, classes in (
        (["NA", "DE", "FR", "US"], ("DE", "FR", "NA", "US")),
        (["NA", "good", "bad", "fair"], None),
    ):
        frame = pd.DataFrame({"text": TEXTS, "label": labels * 6})
        frame.to_csv(tmp_path / "a.csv", index=False)
        task = read(str(tmp_path / "a.csv"))
        assert task.classes == (classes or ("bad", "fair", "good"))
        assert [item.why for item in task.set_aside] == ([] if classes else ["the target is missing"] * 6)


def test_none_is_a_class_in_words(tmp_path):
    frame = pd.DataFrame({"text": TEXTS, "label": ["None", "mild", "severe"] * 8})
    frame.to_csv(tmp_path / "a.csv", index=False)
    assert read(frame).classes == read(str(tmp_path / "a.csv")).classes == ("None", "mild", "severe")


def test_groups_are_folded():
    frame = pd.DataFrame({"text": TEXTS[:4], "label": list("abab"), "group": ["p1", "p1 ", "p2", "p2\u00a0"]})
    assert read(frame).group.tolist() == ["p1", "p1", "p2", "p2"]
