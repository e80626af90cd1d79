"""Calibration: of the answers given with confidence p, is a share p right?

Expected calibration error (Guo et al., 2017, "On Calibration of Modern Neural Networks", equation 3) in M = 15 bins of
equal width:

    ECE = sum_m |B_m| / n * |acc(B_m) - conf(B_m)| = sum_m |sum_{i in B_m} (right_i - p_i)| / n

Equal width is the published definition, so that figures can be compared; on few rows it is biased upwards (each bin's
noise counts as error). For multilabel data each (row, label) pair counts: p is the probability of the label and
"right" means that the row has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.evidence.held_out import HeldOut
from headstart.tasks.goal import Answers
from headstart.tasks.task import Array

__all__ = ["BINS", "bin_of", "confidence", "reliability"]

BINS = 15


def bin_of(p: Array) -> Array:
    """The bin of each confidence: bin m holds (m / 15, (m + 1) / 15], and 0 goes to the first."""
    return np.asarray(np.clip(np.ceil(p * BINS).astype(np.int64) - 1, 0, BINS - 1))


def confidence(predictions: Array, held_out: HeldOut) -> tuple[Array, Array]:
    """(N, C) probabilities -> how sure, and whether it was so: (N,) of the likeliest class; multilabel: (N, C)."""
    if held_out.kind.several:
        return predictions, held_out.targets.astype(np.float64)
    return predictions.max(axis=1), (predictions.argmax(axis=1) == held_out.targets).astype(np.float64)


def reliability(held_out: HeldOut, predictions: Answers) -> dict[str, list[Any]]:
    """The reliability diagram, bins that hold something only: mean confidence, share right, and number of answers.

    predictions (N, C) or (R, N, C); repeats are pooled, and counted as one: `rows` is a mean over them.
    """
    pairs = [confidence(repeat.predictions, held_out) for repeat in held_out.repeats(predictions)]
    sure, right = (np.concatenate([pair[i].ravel() for pair in pairs]) for i in (0, 1))
    bins = bin_of(sure)
    count = np.bincount(bins, minlength=BINS)
    full = count > 0
    mean = {name: np.bincount(bins, of, BINS)[full] / count[full] for name, of in (("sure", sure), ("right", right))}
    return {
        "confidence": mean["sure"].tolist(),
        "accuracy": mean["right"].tolist(),
        "rows": (count[full] / len(pairs)).tolist(),
    }
