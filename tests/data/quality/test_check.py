"""Check before work: real data with planted problems, from end to end."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from headstart.data.content import content_keys
from headstart.data.quality.check import check, without_empty_classes
from headstart.data.quality.findings import Finding, Report
from headstart.data.read import read
from headstart.data.splits.split import split
from headstart.errors import DataError
from headstart.tasks.task import SetAside, Task


def findings(report: Report) -> dict[str, Finding]:
    return {finding.what: finding for finding in report.findings}


def checked(task: Task, **more: object) -> Report:
    return check(task, keys=content_keys(task.inputs, task.modality), **more)


def thumbs_of(task: Task) -> np.ndarray:
    thumbs = []
    for path in task.inputs:
        with Image.open(path) as file:
            drawn = file.convert("RGBA")
        white = Image.new("RGBA", drawn.size, "white")
        white.alpha_composite(drawn)
        thumbs.append(np.asarray(white.convert("RGB").resize((32, 32), Image.Resampling.BILINEAR)))
    return np.stack(thumbs)


@pytest.fixture
def pictures(twemoji, tmp_path) -> Task:
    """Three classes of emoji, of which a copy is misfiled, another doubled, one resized; and a class of one."""
    for source in sorted(folder for folder in twemoji.iterdir() if folder.is_dir())[:3]:
        shutil.copytree(source, tmp_path / source.name)
    first, second, third = sorted(tmp_path.iterdir())
    a, b, *_ = sorted(first.iterdir())
    shutil.copy(a, second / "misfiled.png")
    shutil.copy(b, first / "doubled.png")
    c = sorted(third.iterdir())[0]
    with Image.open(c) as file:
        file.resize((60, 60)).save(third / "resized.png")
    (tmp_path / "lonely").mkdir()
    with Image.open(c) as file:
        file.rotate(90).save(tmp_path / "lonely" / "one.png")
    return read(str(tmp_path))


def test_a_folder_of_pictures(pictures) -> None:
    report = checked(pictures, thumbs=thumbs_of(pictures), failed=[SetAside("cut.jpg", "the file is truncated")])
    found = findings(report)
    assert "misfiled.png" in found["rows whose exact copies have another label"].examples[0]
    assert "doubled.png" in " ".join(found["rows that exactly repeat another"].examples)
    assert "resized.png" in " ".join(found["near duplicates"].examples)
    assert found["classes with a single row"].examples == ("lonely",)
    assert found["inputs that cannot be used"].examples == ("cut.jpg (the file is truncated)",)
    names = [pictures.names[drop.row] for drop in report.drop]
    assert len(names) == 3
    assert sum("misfiled" in name or "lonely" in name for name in names) == 2
    assert [f.severity for f in report.findings] == sorted(
        (f.severity for f in report.findings), key=("error", "warning", "note").index
    )


def test_what_is_kept_splits_without_its_copies_apart(pictures) -> None:
    report = checked(pictures, thumbs=thumbs_of(pictures))
    kept = without_empty_classes(pictures.take(report.keep))
    assert "lonely" not in kept.classes
    block = report.blocks[report.keep]
    train, test = split(kept.targets, kept.kind, block, content_keys(kept.inputs, "image"))
    assert not set(block[train]) & set(block[test])
    assert set(kept.targets[test]) == set(range(len(kept.classes)))


def test_sentences(amazon) -> None:
    task = read(str(amazon))
    task = replace(task, split=None, inputs=["", "  ", *task.inputs[2:]])
    truncated = np.zeros(len(task), int)
    truncated[[5, 7]] = 12, 300
    report = checked(task, truncated=truncated)
    found = findings(report)
    assert found["empty texts"].count == 2
    assert [drop.row for drop in report.drop][:2] == [0, 1]
    assert found["texts that are cut off"].examples == (f"{task.names[7]} (300 tokens)", f"{task.names[5]} (12 tokens)")
    assert "312 tokens in all" in found["texts that are cut off"].action


def test_empty_texts_of_a_given_test_split_stay(amazon) -> None:
    task = read(str(amazon))
    given = np.asarray(task.split)
    row = int(np.flatnonzero(given == "test")[0])
    inputs = [*task.inputs]
    inputs[row] = ""
    report = checked(replace(task, inputs=inputs))
    assert findings(report)["empty texts"].count == 1
    assert row in report.keep


def test_a_table(penguins) -> None:
    frame = pd.read_csv(penguins)
    frame = frame.assign(code=pd.factorize(frame["species"])[0], planet="earth", island=frame["island"])
    frame.loc[3, "body_mass_g"] = np.inf
    task = read(frame[[*frame.columns.drop("species"), "species"]])
    found = findings(checked(task))
    assert found["columns that alone predict the target"].examples == ("code (1.000)",)
    assert found["columns that are constant"].examples == ("planet",)
    assert found["missing values"].count == frame.isna().sum().sum()
    assert found["infinite values"].examples == ("body_mass_g: 1 of 344",)


def test_missing_targets_are_set_aside() -> None:
    x = np.arange(24.0).reshape(12, 2)
    numbers = Task(inputs=x, targets=np.where(np.arange(12) < 2, np.nan, x[:, 0]), kind="regression", modality="array")
    report = checked(numbers)
    assert findings(report)["rows without a target"].examples == ("row 0", "row 1")
    assert [drop.row for drop in report.drop] == [0, 1]
    codes = replace(numbers, kind="classification", targets=np.array([-1] + [0, 1] * 5 + [0]), classes=("a", "b"))
    assert findings(checked(codes))["rows without a target"].count == 1


def test_errors_stop_a_fit(amazon) -> None:
    task = read(str(amazon))
    one = task.take(np.flatnonzero(task.targets == 0)[:30])
    with pytest.raises(DataError, match="classes that can be used: 1"):
        checked(replace(one, split=None)).raise_if_error()
    same = replace(task.take(range(20)), inputs=["the same"] * 20, split=None)
    with pytest.raises(DataError, match=r"usable rows|rows that are all equal"):
        checked(same).raise_if_error()
    array = Task(
        inputs=np.ones((20, 2)), targets=np.arange(20) % 2, kind="classification", modality="array", classes=(0, 1)
    )
    with pytest.raises(DataError, match="rows that are all equal: 20"):
        checked(array).raise_if_error()
    with pytest.raises(DataError, match="usable rows: 1"):
        checked(array.take([0])).raise_if_error()


def test_unlabelled_data_are_checked_for_what_they_are() -> None:
    task = Task(inputs=["one", "one", ""], targets=None, kind="classification", modality="text")
    report = checked(task)
    assert findings(report).keys() == {"rows that exactly repeat another", "empty texts"}
    report.raise_if_error()


def test_near_pairs_may_be_handed_in_and_groups_join_blocks() -> None:
    task = Task(
        inputs=np.eye(6),
        targets=np.arange(6) % 2,
        kind="classification",
        modality="array",
        classes=(0, 1),
        group=np.array(list("aabcde")),
    )
    report = checked(task, near=[(2, 3)])
    assert report.blocks.tolist() == [0, 0, 1, 1, 2, 3]
    assert report.near_pairs.tolist() == [[2, 3]]


def test_a_report_travels_as_json(pictures) -> None:
    report = checked(pictures)
    assert json.loads(json.dumps(report.to_json()))["used"] == len(report.keep)
    assert all(len(line) < 80 for line in str(report).splitlines())


def test_a_key_is_wanted_for_each_row() -> None:
    task = Task(inputs=["a", "b"], targets=None, kind="classification", modality="text")
    with pytest.raises(ValueError, match="one key a row: got 1 keys for 2 rows"):
        check(task, keys=[b"a"])
