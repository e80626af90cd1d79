"""Regression: every row has a number.

targets   (N,) float64, NaN where not known
answers   the value
loss      (z - y)^2, y standardised by the training rows
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headstart.tasks.kind import Array, Kind

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["REGRESSION", "Regression"]

_BINS = 10
_ROWS_A_BIN = 20


class Regression(Kind):
    """A number a row."""

    __slots__ = ()
    dtype = np.float64
    has_classes = False
    metrics = ("r2", "mae", "rmse")
    summary = ("r2", "mae", "rmse")
    headline = "r2"

    def outputs(self, classes: int) -> int:
        """See `Kind`, as all that follows."""
        return 1

    def shape(self, rows: int, classes: int) -> tuple[int, ...]:
        return (rows,)

    def known(self, targets: Array) -> Array:
        return np.isfinite(targets)

    def unknown(self, shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        return np.full(shape, np.nan, dtype)

    def strata(self, targets: Array) -> tuple[Array, Array]:
        return np.arange(len(targets)), _bins(targets)

    def constant(self, targets: Array, classes: int, rows: int) -> Array:
        return np.full(rows, float(np.mean(targets)))

    def in_words(self, target: Any, classes: Sequence[Any]) -> Any:
        return None if target != target else float(target)

    def truth(self, targets: Array, classes: int) -> Array:
        return np.asarray(targets.reshape(len(targets), -1), dtype=np.float64)

    def checked(self, targets: Array, classes: int) -> Array:
        values = targets.astype(np.float64)
        if values.ndim != 1 or not np.isfinite(values).all():
            raise ValueError(f"targets of a regression must be (N,) finite numbers, got shape {targets.shape}")
        return values

    def probabilities(self, logits: Array, temperature: float) -> Array:
        return np.asarray(logits)[:, 0]

    def decide(self, predictions: Array) -> Array:
        return predictions

    def row_losses(self, logits: Tensor, targets: Tensor, *, label_smoothing: float) -> Tensor:
        return (logits[:, 0] - targets.float()).square()

    def tally(self, targets: Array, predictions: Array) -> Array:
        """rows, |e|, e^2, y, y^2        with e = prediction - target, y = target - its mean"""
        error = predictions - targets
        # From the first value, not from zero: equal targets then spread by exactly 0, and R2 is known to be undefined.
        y = targets - targets[0]
        y = y - y.mean()
        return np.stack([np.ones(len(y)), np.abs(error), error**2, y, y**2], axis=1)

    def scores(self, sums: Array) -> dict[str, Array]:
        rows, absolute, squared, y, y2 = sums
        spread = y2 - y**2 / rows
        varies = spread > 1e-12 * y2
        r2 = 1 - np.divide(squared, spread, out=np.full_like(spread, np.nan), where=varies)
        return {"r2": r2, "mae": absolute / rows, "rmse": np.sqrt(squared / rows)}

    def task(self, inputs: str, classes: int) -> str:
        return f"predicts a number for {inputs}"


def _bins(values: Array) -> Array:
    """Quantile bins of at least twenty rows where values differ; equal values share a bin."""
    count = int(np.clip(len(values) // _ROWS_A_BIN, 1, _BINS))
    edges = np.quantile(values, np.arange(1, count) / count) if count > 1 else np.zeros(0)
    return np.searchsorted(edges, values, side="left").astype(np.int64)


REGRESSION = Regression("regression")
