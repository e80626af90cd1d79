"""Classification: every row has one of C classes.

targets   (N,) int64 codes, -1 where not known
answers   softmax(z / T); the likeliest class, of equals the first
loss      -sum_c q_c log softmax(z)_c,  q = (1 - e) onehot(y) + e / C      (Szegedy et al., 2016, section 7)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headstart.tasks.kind import Array, Kind

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CLASSIFICATION", "Classification"]


class Classification(Kind):
    """One class a row."""

    __slots__ = ()
    dtype = np.int64
    metrics = (
        "accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "log_loss", "auroc",
        "average_precision", "calibration_error",
    )  # fmt: skip
    summary = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss")
    headline = "balanced_accuracy"

    def known(self, targets: Array) -> Array:
        """See `Kind`, as all that follows."""
        return np.asarray(targets) >= 0

    def unknown(self, shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        return np.full(shape, -1, dtype)

    def codes(self, targets: Array) -> Array:
        return targets

    def counts(self, targets: Array, classes: int) -> Array:
        return np.bincount(targets[targets >= 0], minlength=classes)

    def strata(self, targets: Array) -> tuple[Array, Array]:
        return np.arange(len(targets)), np.asarray(targets, np.int64)

    def constant(self, targets: Array, classes: int, rows: int) -> Array:
        return np.tile(np.bincount(targets, minlength=classes) / len(targets), (rows, 1))

    def in_words(self, target: Any, classes: Sequence[Any]) -> Any:
        return None if target < 0 else classes[int(target)]

    def truth(self, targets: Array, classes: int) -> Array:
        return np.asarray(targets[:, None] == np.arange(classes), dtype=np.float64)

    def checked(self, targets: Array, classes: int) -> Array:
        codes = targets.astype(np.int64)
        if codes.ndim != 1 or not (codes == targets).all() or codes.min() < 0 or codes.max() >= classes:
            raise ValueError(f"targets of a classification must be (N,) codes from 0 to {classes - 1}")
        if (codes == codes[0]).all():
            raise ValueError(
                f"all {len(codes)} rows are of one class: a classifier needs at least two, add examples of others"
            )
        return codes

    def probabilities(self, logits: Array, temperature: float) -> Array:
        scaled = np.asarray(logits) / temperature
        odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))  # here, since scipy takes longer to load than to ask
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def decide(self, predictions: Array) -> Array:
        return np.asarray(predictions.argmax(axis=-1))

    def row_losses(self, logits: Tensor, targets: Tensor, *, label_smoothing: float) -> Tensor:
        from torch.nn import functional  # so that what only reads data does without torch

        return functional.cross_entropy(logits, targets, reduction="none", label_smoothing=label_smoothing)

    def task(self, inputs: str, classes: int) -> str:
        return f"sorts {inputs} into {classes} classes"


CLASSIFICATION = Classification("classification")
