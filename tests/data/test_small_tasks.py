"""A folder of small tasks becomes one task whose domain says which of them a row is of."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.data.roles import Roles
from headstart.data.small_tasks import read_small_tasks, small_tasks_in
from headstart.errors import DataError

ROLES = Roles()


def write(folder, texts):
    for name, words in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words, "utf-8")
    return str(folder)


@pytest.fixture
def root(tmp_path):
    tasks = {"films": ["bad", "good"], "songs": ["good", "loud", "soft"]}
    names = [f"{task}/{label}/{row}.txt" for task, labels in tasks.items() for label in labels for row in range(2)]
    return write(tmp_path, {name: f"words of {name}" for name in names})


def test_rows_keep_their_task_their_class_and_their_name(root):
    assert small_tasks_in(root) == ["films", "songs"]
    task = read_small_tasks(root, ["films", "songs"], roles=ROLES)
    assert task.classes == ("bad", "good", "loud", "soft")
    assert list(task.domain) == ["films"] * 4 + ["songs"] * 6
    for row, text in enumerate(task.inputs):
        name = f"{task.domain[row]}/{task.classes[task.targets[row]]}/"
        assert task.names[row].startswith(name)
        assert text == f"words of {task.names[row]}"
    assert np.array_equal(task.positions, np.arange(10))
    assert task.notes == ("small tasks: 2, from the names of the folders: 'films', 'songs'",)


def test_classes_and_splits_are_no_small_tasks(tmp_path, root):
    assert small_tasks_in(f"{root}/songs") == []
    flat = write(tmp_path / "flat", {"a/1.txt": "x", "b/1.txt": "y"})
    splits = {f"{side}/{label}/1.txt": "x" for side in ("train", "test") for label in "ab"}
    assert small_tasks_in(flat) == []
    assert small_tasks_in(write(tmp_path / "split", splits)) == []
    assert small_tasks_in(f"{root}/nowhere") == []
    write(tmp_path, {"notes.txt": "beside the tasks"})
    assert small_tasks_in(root) == []


def test_a_task_that_cannot_be_read_is_named(root, tmp_path):
    write(tmp_path, {"empty/a/1.doc": "", "empty/b/1.doc": ""})
    with pytest.raises(DataError, match=r"the small task 'empty': no picture, no recording and no text file in"):
        read_small_tasks(root, small_tasks_in(root), roles=ROLES)


def test_tasks_are_of_one_kind_of_inputs(root, tmp_path):
    from PIL import Image

    for label in "ab":
        (tmp_path / "pictures" / label).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / label / "1.png")
    with pytest.raises(DataError, match=r"small tasks of 'image', 'text' inputs in .*: expected one kind of inputs"):
        read_small_tasks(root, small_tasks_in(root), roles=ROLES)
