"""Multilabel: every row has any number of C labels, each of which is a question of its own.

targets   (N, C) uint8 of 0 and 1
answers   sigmoid(z / T); the labels of .5 or more
loss      mean over labels of the binary cross-entropy
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headstart.tasks.kind import Array, Kind

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MULTILABEL", "Multilabel"]


class Multilabel(Kind):
    """Any number of labels a row."""

    __slots__ = ()
    dtype = np.uint8
    several = True
    metrics = (
        "accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "micro_f1", "log_loss",
        "auroc", "average_precision", "calibration_error",
    )  # fmt: skip
    summary = ("accuracy", "macro_f1", "micro_f1", "log_loss")
    headline = "macro_f1"

    def known(self, targets: Array) -> Array:
        """See `Kind`, as all that follows."""
        return np.ones(len(targets), dtype=bool)

    def unknown(self, shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        return np.zeros(shape, dtype)

    def counts(self, targets: Array, classes: int) -> Array:
        return np.asarray(targets.sum(axis=0, dtype=np.int64))

    def strata(self, targets: Array) -> tuple[Array, Array]:
        rows, labels = np.nonzero(targets)
        return rows, labels

    def constant(self, targets: Array, classes: int, rows: int) -> Array:
        return np.tile(np.asarray(targets, dtype=np.float64).mean(axis=0), (rows, 1))

    def in_words(self, target: Any, classes: Sequence[Any]) -> Any:
        return [label for label, present in zip(classes, target, strict=True) if present]

    def truth(self, targets: Array, classes: int) -> Array:
        return np.asarray(targets.reshape(len(targets), -1), dtype=np.float64)

    def checked(self, targets: Array, classes: int) -> Array:
        if targets.shape[1:] != (classes,) or not np.isin(targets, (0, 1)).all():
            raise ValueError(f"targets of a multilabel task must be (N, {classes}) of 0 and 1, got {targets.shape}")
        if (targets == targets[0]).all():
            raise ValueError("all rows have the same labels, so that there is nothing to learn: add other examples")
        return targets.astype(np.uint8)

    def probabilities(self, logits: Array, temperature: float) -> Array:
        from scipy.special import expit

        return np.asarray(expit(np.asarray(logits) / temperature))

    def decide(self, predictions: Array) -> Array:
        return np.asarray(predictions >= 0.5, dtype=np.uint8)

    def row_losses(self, logits: Tensor, targets: Tensor, *, label_smoothing: float) -> Tensor:
        from torch.nn import functional  # so that what only reads data does without torch

        return functional.binary_cross_entropy_with_logits(logits, targets.float(), reduction="none").mean(1)

    def task(self, inputs: str, classes: int) -> str:
        return f"says which of {classes} labels apply to {inputs}"


MULTILABEL = Multilabel("multilabel")
