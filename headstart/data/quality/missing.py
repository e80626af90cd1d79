"""Cells without a value: missing (None, NaN) and infinite, column by column."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from headstart.data.quality.findings import Finding, examples_of
from headstart.data.quality.inspection import Inspection

__all__ = ["missing_findings"]


def missing_findings(inspection: Inspection) -> Iterator[Finding]:
    """How many cells of a table or an array hold no number or word, and in which columns most."""
    frame = inspection.task.modality.cells(inspection.task.inputs)
    if frame is None:
        return
    missing, infinite = _holes(frame)
    used = inspection.used
    for what, holes in (("missing values", missing), ("infinite values", infinite)):
        count = holes[used].sum()
        if total := int(count.sum()):
            most_first = count[count > 0].sort_values(ascending=False, kind="stable")
            names = examples_of(f"{name}: {n:,} of {int(used.sum()):,}" for name, n in most_first.items())
            action = "filled in as learnt from the training rows" if what == "missing values" else "taken as missing"
            yield Finding(what, total, names, action, "note" if what == "missing values" else "warning")


def _holes(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which cells are missing and which infinite, both (N, C)."""
    infinite = pd.DataFrame(False, index=frame.index, columns=frame.columns)
    for i in np.flatnonzero([pd.api.types.is_float_dtype(dtype) for dtype in frame.dtypes]).tolist():
        infinite.isetitem(i, np.isinf(frame.iloc[:, i].to_numpy(np.float64, na_value=np.nan)))
    return frame.isna(), infinite
