"""How much each row counts in a fit: numbers from 0 up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.data.targets import is_missing, plain
from headstart.errors import DataError
from headstart.messages import few
from headstart.tasks.task import Array

__all__ = ["repeats", "weights_of"]

MOST = 4
"""So many times as many rows as there are."""


def weights_of(values: Sequence[Any]) -> tuple[Array, dict[int, str]]:
    """Weights as (N,) float64, and the rows that have none: row -> why.

    Raises DataError for what is no number, is negative or infinite, and where no row has a weight above 0.
    """
    cells = plain(values)
    missing = {row: "its weight is missing" for row, cell in enumerate(cells) if is_missing(cell)}
    bad = [cell for row, cell in enumerate(cells) if row not in missing and not _is_weight(cell)]
    if bad:
        raise DataError(f"weights must be finite numbers from 0 up, and the column holds {few(bad, 3)}")
    weights = np.array([0.0 if row in missing else float(cell) for row, cell in enumerate(cells)], dtype=np.float64)
    if len(weights) and not weights.any():
        raise DataError("all weights are zero or missing: at least one row must count")
    return weights, missing


def repeats(weights: Array) -> Array | None:
    """(N,) how often to repeat each row, where weights are whole numbers that say so and the rows do not become more
    than four times as many; all ones where they are all one number. None for other weights.
    """
    if (weights == weights[0]).all():
        return np.ones(len(weights), dtype=np.int64)
    whole = (weights == np.round(weights)).all() and weights.sum() <= MOST * len(weights)
    return weights.astype(np.int64) if whole else None


def _is_weight(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool) and 0 <= cell < np.inf
