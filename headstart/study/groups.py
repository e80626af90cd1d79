"""The scores of groups and domains of rows, each with its 95 % interval."""

from __future__ import annotations

import numpy as np

from headstart.evidence.examples import GroupScore
from headstart.tasks.task import Array

__all__ = ["group_scores"]

MOST = 40
_Z = 1.959963984540054


def group_scores(labels: Array, values: Array, *, shares: bool, most: int = MOST) -> tuple[GroupScore, ...]:
    """Of each label, (N,), the mean of the values (N,); the worst first, and of many those with the fewest right.

    shares   the values are right or wrong, and higher is better: the interval is Wilson's (1927). Else they are
             errors, and the interval is that of a mean: 1.96 standard errors, not known of one row
    """
    names, codes = np.unique(np.asarray([str(label) for label in labels]), return_inverse=True)
    rows = np.bincount(codes, minlength=len(names))
    means = np.bincount(codes, np.asarray(values, np.float64), len(names)) / rows
    if shares:
        low, high = _wilson(means, rows)
    else:
        squares = np.bincount(codes, (np.asarray(values, np.float64) - means[codes]) ** 2, len(names))
        error = np.where(rows > 1, np.sqrt(squares / np.maximum(rows - 1, 1) / rows), np.nan)
        low, high = means - _Z * error, means + _Z * error
    order = np.argsort(means if shares else -means, kind="stable")[:most]
    return tuple(
        GroupScore(str(names[at]), int(rows[at]), *(_known(values[at]) for values in (means, low, high)))
        for at in order.tolist()
    )


def _wilson(share: Array, rows: Array) -> tuple[Array, Array]:
    wide = 1 + _Z**2 / rows
    middle = (share + _Z**2 / (2 * rows)) / wide
    half = _Z * np.sqrt(share * (1 - share) / rows + _Z**2 / (4 * rows**2)) / wide
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
