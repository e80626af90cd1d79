import pandas as pd
import pytest

from headstart.data.columns import assign
from headstart.data.roles import Roles
from headstart.data.tables import of_frame
from headstart.errors import DataError

SENTENCES = [f"a sentence of quite some words, {i}" for i in range(6)]
PICTURES = [f"cats/{i}.png" for i in range(6)]


def found(roles=None, **values):
    return assign(of_frame(pd.DataFrame(values)), roles or Roles())


def test_pictures_come_before_texts():
    assigned = found(caption=SENTENCES, file=[*PICTURES[:-1], None], other=PICTURES, label=["a", "b"] * 3)
    assert (assigned.columns.input, assigned.modality) == (("file",), "image")
    assert any(note.startswith("left out: 'caption', 'other' (beside the input") for note in assigned.notes)


def test_the_text_by_name_or_by_length():
    longer = [sentence * 2 for sentence in SENTENCES]
    assert found(title=SENTENCES, story=longer, label=[0, 1] * 3).columns.input == ("story",)
    assert found(Review=SENTENCES, story=longer, label=[0, 1] * 3).columns.input == ("Review",)


def test_one_column_of_words_alone_is_text():
    assigned = found(word=["red", "blue"] * 3, label=[0, 1] * 3)
    assert assigned.modality == "text"
    assert assigned.notes[-1] == "input: text from 'word' (the only column that is left)"
    assert found(Roles(modality="table"), word=["red", "blue"] * 3, label=[0, 1] * 3).modality == "table"


def test_what_a_table_cannot_read_is_left_out():
    assigned = found(when=pd.to_datetime(["2024-01-01"] * 2), box=[[1], [2]], x=[1, 2], label=[0, 1])
    assert assigned.columns.input == ("when", "x")
    assert "left out: 'box' (each value a list)" in assigned.notes


def test_several_inputs_of_words_are_one_text():
    values = {"title": ["x", "y"] * 3, "body": SENTENCES, "n": range(6), "label": [0, 1] * 3}
    assert found(Roles(input=("title", "body")), **values).modality == "text"
    assert found(Roles(input=("title", "n")), **values).modality == "table"
    assert found(Roles(input="title"), **values).modality == "text"
    assert found(Roles(input="n"), **values).modality == "table"


def test_a_modality_that_is_given_decides():
    values = {"file": PICTURES, "text": SENTENCES, "word": ["a", "b"] * 3, "n": [5, 3] * 3, "label": [0, 1] * 3}
    assert found(Roles(modality="text"), **values).columns.input == ("text",)
    assert found(Roles(modality="table"), **values).columns.input == ("file", "text", "word", "n")
    with pytest.raises(DataError, match="no column holds pictures or their names: the columns are 'n'"):
        found(Roles(modality="image"), n=[5, 3], label=[0, 1])
    with pytest.raises(DataError, match="no column holds words: the columns are 'n'"):
        found(Roles(modality="text"), n=[5, 3], label=[0, 1])


def test_pictures_are_read_alone():
    with pytest.raises(DataError, match="column 'file' holds pictures, which cannot be read together with others"):
        found(Roles(input=("file", "n")), file=PICTURES, n=range(6), label=[0, 1] * 3)
