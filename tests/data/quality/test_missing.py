"""Cells without a value."""

from __future__ import annotations

import numpy as np
import pandas as pd

from headstart.data.quality.inspection import Inspection
from headstart.data.quality.missing import missing_findings
from headstart.tasks.task import Task

NO_PAIRS = np.zeros((0, 2), int)


def inspect(inputs: object, modality: str) -> Inspection:
    task = Task(inputs=inputs, targets=None, kind="regression", modality=modality)
    return Inspection(task, [bytes([i % 256]) for i in range(len(task))], NO_PAIRS)


def test_real_holes_are_counted_column_by_column(penguins) -> None:
    frame = pd.read_csv(penguins)
    (finding,) = missing_findings(inspect(frame, "table"))
    assert (finding.what, finding.count, finding.severity) == ("missing values", int(frame.isna().sum().sum()), "note")
    assert finding.examples[0] == "sex: 11 of 344"


def test_infinite_numbers_are_counted_apart() -> None:
    frame = pd.DataFrame(
        {"x": [1, np.inf, -np.inf, np.nan], "y": list("abcd"), "z": pd.array([1.5, None, 2, 3], "Float64")}
    )
    missing, infinite = missing_findings(inspect(frame, "table"))
    assert missing.examples == ("x: 1 of 4", "z: 1 of 4")
    assert (infinite.what, infinite.count, infinite.examples) == ("infinite values", 2, ("x: 2 of 4",))
    assert infinite.severity == "warning"


def test_rows_set_aside_do_not_count() -> None:
    array = np.array([[1, np.nan], [np.inf, 2], [3, 4]], np.float32)
    inspection = inspect(array, "array")
    missing, infinite = missing_findings(inspection)
    assert (missing.examples, infinite.examples) == (("column 1: 1 of 3",), ("column 0: 1 of 3",))
    inspection.set_aside([0, 1], "for a reason")
    assert list(missing_findings(inspection)) == []


def test_columns_of_one_name_are_counted_each() -> None:
    frame = pd.DataFrame([[np.nan, np.inf], [1.0, 2.0]], columns=["x", "x"])
    missing, infinite = missing_findings(inspect(frame, "table"))
    assert missing.count == infinite.count == 1


def test_pictures_and_texts_have_no_cells() -> None:
    assert list(missing_findings(inspect(["a"], "text"))) == []
