"""Regression: every row has a number.

targets   (N,) float64, NaN where not known
answers   the value
loss      (z - y)^2, y standardised by the training rows
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from headstart.tasks.kind import Array, Kind

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["REGRESSION", "Regression"]


class Regression(Kind):
    """A number a row."""

    __slots__ = ()
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

    def task(self, inputs: str, classes: int) -> str:
        return f"predicts a number for {inputs}"


REGRESSION = Regression("regression")
