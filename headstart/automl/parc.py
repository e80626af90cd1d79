"""PARC: do rows that differ in their features differ in their labels (Bolya, Mittapalli and Hoffman, 2021)?

    PARC = 100 Spearman({1 - corr(x_i, x_j)}, {1 - corr(e_i, e_j)}),   i < j

corr is Pearson's over the columns of two rows, x_i the standardised features of row i and e_i its one-hot label; so
that labels are as far apart as they are different. All pairs of rows are compared: N^2 / 2 numbers are ranked. There is
no reduction to principal axes, whose signs are arbitrary: a correlation over columns is another one where a sign turns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headstart.automl.checks import class_codes
from headstart.automl.decomposition import Features, decompose
from headstart.checks import affordable
from headstart.linalg.blas import one_thread
from headstart.tasks.task import Array

__all__ = ["parc"]

DIGITS = 12
LIMIT = 4.0
BYTES_A_PAIR = 28


def parc(features: Features, targets: npt.ArrayLike) -> float:
    """From -100 to 100, of features (N, D) and class labels (N,). Higher is better. 0 where nothing varies.

    ValueError for one column of features, which has no correlation, or more rows than fit into 4 GB (some 17,000)
    """
    parts = decompose(features)
    classes = class_codes(targets, len(parts))
    rows = parts.centred
    if rows.shape[1] < 2:
        raise ValueError("features have 1 column: PARC correlates rows over the columns, expected 2 or more")
    affordable(len(rows) ** 2 / 2 * BYTES_A_PAIR, LIMIT, f"PARC of {len(rows)} rows", "score a sample of the rows")
    with one_thread():
        later = np.triu(np.ones((len(rows), len(rows)), bool), 1)
        near = np.round(_correlations(rows)[later], DIGITS)
        same = (classes.codes[:, None] == classes.codes)[later]
        return 100 * _rank_correlation(near, same)


def _rank_correlation(values: Array, chosen: Array) -> float:
    """Spearman's, of values (M,) and a bool (M,), so that one sort is enough; 0 where one of them does not vary."""
    count, picked = len(values), int(chosen.sum())
    ordered = np.sort(values)
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    ties = np.diff(ends, prepend=-1).astype(np.float64)
    spread = (float(count) ** 3 - float((ties**3).sum())) / 12
    if spread <= 0 or picked in (0, count):
        return 0.0
    low, high = (np.searchsorted(ordered, values[chosen], side=side) for side in ("left", "right"))
    above_mean = float(((low + high + 1) / 2).sum()) - picked * (count + 1) / 2
    return above_mean / float(np.sqrt(spread * picked * (count - picked) / count))


def _correlations(rows: Array) -> Array:
    """(N, N) Pearson's, over columns that are standardised first; 0 for a row whose columns are all alike."""
    deviation = np.sqrt(np.square(rows).mean(axis=0))
    rows = rows / np.where(deviation > 0, deviation, 1.0)
    rows = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths > 0, lengths, 1.0)
    return np.asarray(rows @ rows.T)
