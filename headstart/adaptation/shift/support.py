"""How much of the target lies where the source has no rows, so that nothing learnt there can speak for it.

    r_i      distance from source row i to its k-th nearest other source row, columns standardised by the source
    outside  a target row whose distance to its k-th nearest source row is beyond the 99 % quantile of the r_i

The k-nearest-neighbour rule of novelty detection (Ramaswamy et al., 2000). Of a target drawn like the source about
1 % lies outside; a share is judged against that. The interval is Wilson's. In hundreds of columns distances grow alike,
and the share says less.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.neighbors import NearestNeighbors

from headstart.evidence.intervals import ALPHA, Interval
from headstart.tasks.task import Array

__all__ = ["Support", "support"]

_QUANTILE = 0.99


class Support(NamedTuple):
    """share: of the target that lies outside, with its interval; expected: of rows like the source's own.

    distances (m,) of the target rows in units of the limit, above 1 outside; NaN: not used.
    """

    share: Interval
    expected: float
    distances: Array


def support(source: Array, target: Array, *, neighbours: int = 5, most: int = 5000, seed: int = 0) -> Support:
    """source (n, d), target (m, d), finite; of more than `most` rows a sample. NaN for under 20 source rows."""
    random = np.random.default_rng(seed)
    source = source[random.permutation(len(source))[:most]]
    sampled = np.sort(random.permutation(len(target))[:most])
    distances = np.full(len(target), np.nan)
    if len(source) < 20:
        return Support(Interval(math.nan), 1 - _QUANTILE, distances)
    centre, spread = source.mean(axis=0), source.std(axis=0)
    # A column that is constant in the source is measured in the target's own spread, or a change of it went unseen.
    spread = np.where(spread > 1e-12, spread, np.maximum(np.abs(target[sampled] - centre).max(axis=0), 1e-12))
    near = NearestNeighbors(n_neighbors=neighbours).fit((source - centre) / spread)
    source_distances = near.kneighbors(return_distance=True)[0][:, -1]
    limit = max(float(np.quantile(source_distances, _QUANTILE)), 1e-9)
    distances[sampled] = near.kneighbors((target[sampled] - centre) / spread)[0][:, -1] / limit
    outside = int((distances[sampled] > 1).sum())
    ends = stats.binomtest(outside, len(sampled)).proportion_ci(1 - ALPHA, method="wilson")
    return Support(Interval(outside / len(sampled), float(ends.low), float(ends.high)), 1 - _QUANTILE, distances)
