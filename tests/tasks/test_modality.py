"""A modality is one value in a process, stored by its name, and each holds, cuts and stacks its own inputs."""

from __future__ import annotations

import copy
import json

import numpy as np
import pandas as pd
import pytest

from headstart.data.arrays import draft_of_inputs
from headstart.data.content import content_keys
from headstart.data.roles import Roles
from headstart.data.tables import of_frame
from headstart.data.tabular import draft_of
from headstart.errors import DataError
from headstart.evidence.baselines.no_transfer import LEARNERS, no_transfer
from headstart.tasks import ARRAY, AUDIO, IMAGE, MODALITIES, TABLE, TEXT, Clip, Modality, Task, modality_named

INPUTS = {
    "image": ["a.png", "b.jpg", "c.png"],
    "text": ["one", "two", ""],
    "table": pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": list("abc")}),
    "array": np.arange(6.0).reshape(3, 2),
    "audio": [Clip(path=f"{name}.wav", rate=8000, channels=1, frames=4000) for name in "abc"],
}


def rows_of(inputs):
    """As lists, whatever they are held in."""
    return (
        inputs.to_numpy().tolist() if isinstance(inputs, pd.DataFrame) else [list(np.atleast_1d(row)) for row in inputs]
    )


@pytest.mark.parametrize("name", MODALITIES)
def test_it_is_its_name_and_one_value(name):
    value = modality_named(name)
    assert (value, f"{value}", repr(value), hash(value)) == (name, name, repr(name), hash(name))
    assert json.loads(json.dumps({"modality": value})) == {"modality": name}
    for same in (copy.deepcopy(value), copy.copy(value), modality_named(value)):
        assert same is value
    assert Roles(modality=name).modality is value
    assert Task(inputs=INPUTS[name], targets=None, kind="regression", modality=name).modality is value


def test_a_name_that_nobody_gave_is_refused():
    with pytest.raises(ValueError, match="modality must be 'image', 'text', 'table', 'array' or 'audio', got 'smell'"):
        modality_named("smell")
    with pytest.raises(ValueError, match="got 'smell'"):
        Roles(modality="smell")


@pytest.mark.parametrize("name", MODALITIES)
def test_inputs_are_cut_and_stacked_as_they_are_held(name):
    value, inputs = modality_named(name), INPUTS[name]
    cut = value.take(inputs, np.array([2, 0, 2]))
    assert type(cut) is type(inputs)
    assert rows_of(cut) == [rows_of(inputs)[row] for row in (2, 0, 2)]
    both = value.stack(inputs, cut)
    assert type(both) is type(inputs)
    assert rows_of(both) == rows_of(inputs) + rows_of(cut)
    if name == "table":
        assert list(both.index) == list(range(6))


def test_what_is_known_without_a_backbone():
    assert IMAGE.properties(INPUTS["image"])["file type"].tolist() == [".png", ".jpg", ".png"]
    assert IMAGE.properties([np.zeros((2, 2))]) == {}
    known = {name: column.tolist() for name, column in AUDIO.properties(INPUTS["audio"]).items()}
    assert known["seconds"] == [0.5] * 3
    assert (known["sampling rate"], known["file type"]) == (["8000"] * 3, [".wav"] * 3)
    assert list(TABLE.properties(INPUTS["table"])) == ["x", "y"]
    assert list(ARRAY.properties(INPUTS["array"])) == list(ARRAY.cells(INPUTS["array"])) == ["column 0", "column 1"]
    assert (TEXT.properties(INPUTS["text"]), TEXT.cells(INPUTS["text"]), TEXT.columns(INPUTS["text"])) == (
        {},
        None,
        None,
    )
    assert TEXT.texts(INPUTS["text"]) == INPUTS["text"]
    assert IMAGE.texts(INPUTS["image"]) == []
    assert (TEXT.obstacle("words"), TEXT.obstacle(3)) == ("", "a int is no text: expected a string")
    assert ARRAY.columns(INPUTS["array"]) is INPUTS["array"]


def test_a_modality_says_what_it_lacks():
    noise = Modality("noise")
    assert (noise.recognises([1]), noise.obstacle(1), noise.properties([1]), noise.columns([1])) == (
        False,
        "",
        {},
        None,
    )
    with pytest.raises(TypeError, match="no content key for noise inputs: define `content` of the modality"):
        content_keys([1], noise)
    assert noise not in LEARNERS
    task = Task(inputs=[1, 2], targets=np.array([0.0, 1.0]), kind="regression", modality=noise)
    with pytest.raises(ValueError, match="no model without transfer for noise inputs: put one into LEARNERS"):
        no_transfer(task, [3], folds=np.array([0, 1]))
    with pytest.raises(DataError, match="noise inputs are not read from tables: give them as a list"):
        draft_of(of_frame(pd.DataFrame({"x": [1, 2]})), Roles(input="x", modality=noise), need_target=False)


def test_a_list_is_read_by_the_modality_that_recognises_it():
    class Runs(Modality):
        def recognises(self, items):
            return all(isinstance(item, range) for item in items)

        def obstacle(self, item):
            return "" if len(item) else "it is empty"

    runs = Runs("runs")
    MODALITIES["runs"] = runs
    try:
        draft = draft_of_inputs([range(3), range(0)])
    finally:
        del MODALITIES["runs"]
    assert (draft.modality, draft.names, draft.broken) == (runs, ["row 0", "row 1"], {1: "it is empty"})
