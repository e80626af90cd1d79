"""Constant columns and leaks, on real tables with planted columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine

from headstart.data.content import content_keys
from headstart.data.quality.findings import Finding
from headstart.data.quality.inspection import Inspection
from headstart.data.quality.leaks import leak_findings
from headstart.tasks.task import SetAside, Task

NO_PAIRS = np.zeros((0, 2), int)


def found(task: Task) -> dict[str, Finding]:
    inspection = Inspection(task, content_keys(task.inputs, task.modality), NO_PAIRS)
    return {finding.what: finding for finding in leak_findings(inspection)}


@pytest.fixture(scope="module")
def wine() -> Task:
    data = load_wine(as_frame=True)
    return Task(
        inputs=data.data,
        targets=data.target.to_numpy(np.int64),
        kind="classification",
        modality="table",
        classes=(0, 1, 2),
    )


@pytest.fixture(scope="module")
def diabetes() -> Task:
    data = load_diabetes(as_frame=True)
    return Task(inputs=data.data, targets=data.target.to_numpy(float), kind="regression", modality="table")


def with_columns(task: Task, **columns: object) -> Task:
    return Task(**{**task.__dict__, "inputs": task.inputs.assign(**columns)})


def test_honest_columns_are_no_leaks(wine, diabetes, penguins) -> None:
    assert found(wine) == {}
    assert found(diabetes) == {}
    frame = pd.read_csv(penguins).dropna(subset=["sex"])
    species = pd.factorize(frame["species"])
    inputs = frame.drop(columns="species").reset_index(drop=True)
    assert (
        found(
            Task(inputs=inputs, targets=species[0], kind="classification", modality="table", classes=tuple(species[1]))
        )
        == {}
    )


def test_columns_that_are_the_target_in_another_form(wine) -> None:
    shuffled = np.random.default_rng(0).permutation(len(wine))
    leaky = with_columns(
        wine,
        code=wine.targets * 10.0,
        word=np.array(["barolo", "grignolino", "barbera"])[wine.targets],
        category=pd.Categorical.from_codes(wine.targets, ["x", "y", "z"]),
        row=np.arange(len(wine)),
        date=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(wine)), "D"),
        holes=np.where(wine.targets == 0, np.nan, wine.targets),
        ticket=[f"n{i}" for i in shuffled],
        number=shuffled,
        big=10**17 + shuffled,
    )
    finding = found(leaky)["columns that alone predict the target"]
    assert finding.count == 6
    assert finding.severity == "warning"
    names = {example.split(" (")[0] for example in finding.examples}
    assert names < {"code", "word", "category", "row", "date", "holes"}
    assert "code (1.000)" in finding.examples


def test_columns_that_are_a_number_in_another_form(diabetes) -> None:
    words = pd.qcut(diabetes.targets, 4).astype(str)
    leaky = with_columns(
        diabetes, cube=diabetes.targets**3, falling=-diabetes.targets, quartile=words, name=diabetes.targets.astype(str)
    )
    finding = found(leaky)["columns that alone predict the target"]
    assert {example.split(" (")[0] for example in finding.examples} == {"cube", "falling"}
    holed = np.where(np.arange(len(diabetes)) % 3, diabetes.targets, np.nan)
    assert found(with_columns(diabetes, holed=holed, inf=np.full(len(diabetes), np.inf))).keys() == {
        "columns that are constant"
    }


def test_a_word_that_is_the_number(diabetes) -> None:
    rounded = Task(**{**diabetes.__dict__, "targets": np.round(diabetes.targets, -2)})
    finding = found(with_columns(rounded, word=rounded.targets.astype(str)))["columns that alone predict the target"]
    assert finding.examples == ("word (1.000)",)


def test_constant_columns(wine) -> None:
    flat = with_columns(wine, one=1, nothing=np.nan, word="w", lists=[[1]] * len(wine))
    finding = found(flat)["columns that are constant"]
    assert finding.examples == ("one", "nothing", "word", "lists")
    assert finding.severity == "note"


def test_arrays_and_their_limits(wine) -> None:
    array = np.column_stack([wine.inputs, wine.targets, np.ones(len(wine))])
    task = Task(inputs=array, targets=wine.targets, kind="classification", modality="array", classes=(0, 1, 2))
    findings = found(task)
    assert findings["columns that alone predict the target"].examples == ("column 13 (1.000)",)
    assert findings["columns that are constant"].examples == ("column 14",)
    wide = Task(**{**task.__dict__, "inputs": np.hstack([array] * 20)})
    assert found(wide).keys() == {"columns that are constant"}


def test_a_file_type_that_tells_the_class() -> None:
    names = [f"{i}.{'PNG' if i % 2 else 'jpg'}" for i in range(40)]
    task = Task(inputs=names, targets=np.arange(40) % 2, kind="classification", modality="image", classes=("a", "b"))
    keys = [bytes([i]) * 32 for i in range(40)]
    (finding,) = leak_findings(Inspection(task, keys, NO_PAIRS))
    assert finding.what == "file properties that alone predict the target"
    assert finding.examples == ("file type (1.000)",)
    mixed = Task(**{**task.__dict__, "inputs": [f"{i}.{'png' if i % 3 else 'jpg'}" for i in range(40)]})
    assert list(leak_findings(Inspection(mixed, keys, NO_PAIRS))) == []
    pixels = Task(**{**task.__dict__, "inputs": np.zeros((40, 4, 4, 3), np.uint8)})
    assert list(leak_findings(Inspection(pixels, keys, NO_PAIRS))) == []


def test_too_little_to_tell(wine) -> None:
    leaky = with_columns(wine, code=wine.targets)
    assert found(leaky.take(range(0, 178, 10))) == {}
    assert found(Task(**{**leaky.__dict__, "targets": None})) == {}
    one = leaky.take(np.flatnonzero(wine.targets == 0))
    assert found(one).keys() == {"columns that are constant"}
    equal = leaky.take([0] * 30)
    assert "columns that alone predict the target" not in found(equal)


def test_row_counters_are_told_whether_they_are_left_out_or_asked_for(wine) -> None:
    order = np.random.default_rng(0).permutation(len(wine))
    asked = found(with_columns(wine, line=order))["inputs that count the rows"]
    assert asked.examples == ("line (counts the rows: 178 whole numbers from 0 to 177, none twice)",)
    assert asked.severity == "warning"
    aside = Task(**{**wine.__dict__, "counters": (SetAside("line", "in its order the target rises"),)})
    finding = found(aside)["columns that count the rows"]
    assert (finding.examples, finding.action) == (("line",), "left out: in its order the target rises")


def test_a_column_says_nothing_of_classes_that_have_two_rows_each() -> None:
    """Without a warning of scikit-learn's, that so many classes might be numbers."""
    codes = np.repeat(np.arange(150), 2)
    inputs = pd.DataFrame({"length": np.random.default_rng(0).normal(size=300)})
    task = Task(inputs=inputs, targets=codes, kind="classification", modality="table", classes=tuple(range(150)))
    assert found(task) == {}
