"""What must be said of a confusion matrix that shares of classes are taken from."""

from __future__ import annotations

import numpy as np

from headstart.tasks.task import Array

__all__ = ["SINGULAR", "notes"]

ILL = 20.0
SINGULAR = 1e6


def notes(K: Array, below: Array) -> tuple[str, ...]:
    """Of K (C, C), columns the true class, and of what was cut off each share (C,), at most 0."""
    remarks = [
        f"class {code}: estimated share {below[code]:.3f} is below 0 and was set to 0"
        for code in np.flatnonzero(below < -1e-9).tolist()
    ]
    condition = float(np.linalg.cond(K))
    if condition > ILL:
        weakest = np.linalg.svd(K)[2][-1]
        first, second = sorted((int(weakest.argmax()), int(weakest.argmin())))
        size = "singular" if condition > SINGULAR else f"ill-conditioned ({condition:.0f})"
        remarks.append(
            f"the confusion matrix is {size}: the classifier hardly tells classes apart, above all "
            f"{first} and {second}, and their shares are hardly determined; use better features, or merge them"
        )
    return tuple(remarks)
