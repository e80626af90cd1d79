"""Columns sorted into bins, for trees on histograms (Ke et al., 2017): once for all folds, and without weights.

scikit-learn bins anew in every fit. Given weights it searches each of the edges in a pass over all rows of its own,
which takes many times as long as the trees; of rows that are in no more bins than it wants it keeps those.
"""

from __future__ import annotations

import numpy as np

from headstart.tasks.task import Array

__all__ = ["Edges", "edges_of", "in_bins"]

Edges = list[Array]
"""Of each column, rising: bin k holds the numbers above edge k - 1, up to edge k and with it."""

_ROWS = 200_000


def edges_of(x: Array, most: int) -> Edges:
    """Of x (N, D), for at most `most` bins a column with as many rows each; NaN is in none of them.

    Of more than `_ROWS` rows every second, third and so on is looked at: their order may mean something.
    """
    some = x[:: -(-len(x) // _ROWS) or 1]
    return [_edges(column[~np.isnan(column)], most) for column in some.T]


def in_bins(x: Array, edges: Edges) -> Array:
    """The number of each one's bin: (N, D) -> (N, D) float32, NaN where x is."""
    codes = np.empty(x.shape, np.float32)
    for place, (column, above) in enumerate(zip(x.T, edges, strict=True)):
        codes[:, place] = np.where(np.isnan(column), np.nan, np.searchsorted(above, column))
    return codes


def _edges(column: Array, most: int) -> Array:
    values = np.unique(column.astype(np.float64))
    if len(values) <= most:
        return np.asarray(values[:-1] / 2 + values[1:] / 2)
    shares = np.linspace(0, 100, most + 1)[1:-1]
    return np.unique(np.percentile(column.astype(np.float64), shares, method="averaged_inverted_cdf"))
