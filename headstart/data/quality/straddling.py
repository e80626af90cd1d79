"""What stands on both sides of a split that came with the data: copies of test rows, and declared groups."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from headstart.data.quality.findings import Finding, examples_of
from headstart.data.quality.inspection import Inspection
from headstart.data.splits.groups import blocks, copies_of_held
from headstart.tasks.task import Array

__all__ = ["straddling_findings"]


def straddling_findings(inspection: Inspection) -> Iterator[Finding]:
    """Rows that repeat, or share a group with, rows held out from them leave training; the test stays as it is.

    Nothing is held out where the data came without a test split.
    """
    if not inspection.given_test.any():
        return
    n = len(inspection.task)
    content = blocks(n, inspection.keys, inspection.near_pairs)
    if len(rows := _giving_way(inspection, content)):
        inspection.set_aside(rows, "it repeats a row of the given test split")
        yield Finding(
            "training rows that repeat test rows",
            len(rows),
            inspection.pair_examples((row, _held(inspection, content, row)) for row in rows.tolist()),
            "set aside: the given test split must be new to the model",
            "warning",
        )
    group = inspection.task.group
    if group is None:
        return
    declared = blocks(n, group=group)
    if len(rows := _giving_way(inspection, declared)):
        straddling = pd.unique(np.asarray(group)[rows])
        inspection.set_aside(rows, "its group stands in the given test split too")
        yield Finding(
            "training rows of groups that straddle the given split",
            len(rows),
            examples_of(f"group {label}" for label in straddling),
            "set aside: a group in the test must be new to the model",
            "warning",
        )


def _giving_way(inspection: Inspection, block: Array) -> Array:
    rows = np.flatnonzero(inspection.used)
    return rows[copies_of_held(block[rows], np.asarray(inspection.task.split)[rows])]


def _held(inspection: Inspection, block: Array, row: int) -> int:
    """A held-out row of the same block."""
    split = np.asarray(inspection.task.split)
    others = np.flatnonzero((block == block[row]) & (split != split[row]) & (split != "train"))
    return int(others[np.argmax(split[others] == "test")])
