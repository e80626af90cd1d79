"""Whether an input is unlike all that a model learnt from: the distance to the k-th nearest training row.

    d(x) = |x - x_(k)|^2        flagged where d(x) > q
    q = the larger of           the least d_i with  #{j: d_j <= d_i} >= (n + 1)(1 - rate)
                                the least d_i with  sum of 1 / m_j over {j: d_j <= d_i} >= (B + 1)(1 - rate)

where row j of n training rows is one of m_j rows of its block, and there are B blocks. Blocks are what is exchangeable,
and the second counts each once (Dunn, Wasserman and Ramdas, 2023, on conformal prediction of hierarchical data): where
rows alone were counted, a block of many copies would stand for as many rows. Without copies and groups both are one.

(Sun et al., 2022, "Out-of-Distribution Detection with Deep Nearest Neighbors"). Features of a network are taken at
length 1, columns that have units of their own standardised. The distance of a training row leaves out the rows of its
own block (itself, its duplicates, its group), so that a row of a new block is flagged as often as `rate` says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headstart.linalg.distances import apart, expanded, squared_lengths
from headstart.tasks.kind import Array
from headstart.uncertainty.quantile import share_of

__all__ = ["BANK", "FEWEST", "RATE", "OutOfDistribution", "Placed", "own_distances"]

RATE = 0.01
"""The share of rows like those of the training that are flagged, unless another is asked for."""
BANK, MOST, FEWEST = 250, 2_000, 20
"""Rows that are stored; rows whose distances set the threshold; rows and blocks below which nothing is said."""
_NEAREST = 3
_FIELDS = ("bank", "centre", "scale", "distances", "nearest")
_SHARES, _ROUNDING = "shares", 1e-9


@dataclass(frozen=True, eq=False)
class Placed:
    """Where rows lie: (N, D) features, and (N,) blocks of rows that belong together.

    unit   the features are of a network, and only their direction counts
    """

    features: Array
    blocks: Array
    unit: bool

    def take(self, rows: Array) -> Placed:
        """The same with only these rows."""
        return Placed(self.features[rows], self.blocks[rows], self.unit)


@dataclass(frozen=True, kw_only=True, eq=False)
class OutOfDistribution:
    """What a model learnt from, as far as distances to it need it.

    bank        (M, D) float16 of length 1, or float32 standardised
    centre, scale   (D,) float64 of the columns; empty for features of a network
    distances   (n,) float32, ascending: of training rows, each without the rows of its own block
    nearest     (1,) int64, which neighbour counts
    shares      (n,) float64, in the order of the distances: 1 / the number of these rows that are of its block
    """

    bank: Array
    centre: Array
    scale: Array
    distances: Array
    nearest: Array
    shares: Array

    @classmethod
    def of(cls, rows: Placed) -> OutOfDistribution | None:
        """Of training rows; None where there are fewer than `FEWEST` rows, or blocks of them."""
        if len(np.unique(rows.blocks)) < FEWEST:
            return None
        drawn = np.random.default_rng(0).permutation(len(rows.blocks))[:MOST]
        rows = rows.take(drawn)
        centre, scale = _columns(rows)
        scaled = _scaled(rows.features, centre, scale)
        bank = scaled[:BANK].astype(np.float16 if rows.unit else np.float32)
        others = rows.blocks[:, None] != rows.blocks[None, :BANK]
        nearest = min(_NEAREST, int(others.sum(axis=1).min()))
        if not nearest:
            return None
        between = np.where(others, _between(scaled, bank.astype(scaled.dtype)), np.inf)
        distances = _kth(between, nearest).astype(np.float32)
        _, block, sizes = np.unique(rows.blocks, return_inverse=True, return_counts=True)
        order = np.argsort(distances, kind="stable")
        return cls(
            bank=bank,
            centre=centre,
            scale=scale,
            distances=distances[order],
            nearest=np.array([nearest]),
            shares=1 / sizes[block][order],
        )

    def distance(self, features: Array) -> Array:
        """(N, D) features -> (N,) float32 distances."""
        scaled = self.scaled(features)
        between = apart(scaled, self._rows) if len(self.centre) else expanded(scaled, self._rows, self._squares)
        return _kth(between, int(self.nearest[0])).astype(np.float32)

    @cached_property
    def _rows(self) -> Array:
        """The bank in the type of `scaled`."""
        return self.bank.astype(np.float64 if len(self.centre) else np.float32)

    @cached_property
    def _squares(self) -> Array:
        return squared_lengths(self._rows)

    @cached_property
    def _usual_limit(self) -> float:
        return self.limit()

    def scaled(self, features: Array) -> Array:
        """(N, D) features as distances are taken between them: float32 of length 1, or float64 standardised."""
        if features.ndim != 2 or features.shape[1] != self.bank.shape[1]:
            raise ValueError(f"features have the shape {features.shape}, expected (N, {self.bank.shape[1]})")
        return _scaled(features, self.centre, self.scale)

    def flags(self, features: Array, rate: float = RATE) -> Array:
        """(N, D) features -> (N,) bool, whether a row is farther from the training rows than `rate` allows.

        Of fewer than 1 / rate - 1 blocks the farthest row is the limit, which about one in B + 1 new blocks passes.
        """
        limit = self._usual_limit if rate == RATE else self.limit(rate)
        return np.asarray(self.distance(features) > limit)

    def limit(self, rate: float = RATE) -> float:
        """The distance from which on a row is flagged."""
        usual, last = 1 - share_of(rate, "the rate of false alarms"), len(self.distances) - 1
        by_rows = math.ceil((last + 2) * usual - _ROUNDING) - 1
        by_blocks = int(np.searchsorted(np.cumsum(self.shares), (self.blocks + 1) * usual - _ROUNDING))
        return float(self.distances[min(max(by_rows, by_blocks), last)])

    @property
    def blocks(self) -> int:
        """How many blocks the rows are of whose distances set the limit."""
        return round(float(self.shares.sum()))

    def promised(self, rate: float = RATE) -> float:
        """The rate that so many blocks can promise."""
        return max(rate, 1 / (self.blocks + 1))

    def arrays(self) -> dict[str, Array]:
        """As named arrays, for a file; shares only where some row is not alone in its block."""
        stored = {name: getattr(self, name) for name in _FIELDS}
        return stored if (self.shares == 1).all() else stored | {_SHARES: self.shares}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> OutOfDistribution:
        """What `arrays` gave, or did in an earlier version, without shares. Raises ValueError for anything else."""
        if sorted(arrays.keys() - {_SHARES}) != sorted(_FIELDS):
            raise ValueError(f"distances are {', '.join(_FIELDS)}; these are {', '.join(sorted(arrays))}")
        made = cls(**({_SHARES: np.ones(len(arrays["distances"]))} | arrays))
        columns = made.centre.shape
        fits = (
            made.bank.ndim == 2
            and made.distances.ndim == 1
            and len(made.distances) > 0
            and made.shares.shape == made.distances.shape
            and bool(((made.shares > 0) & (made.shares <= 1)).all())
            and columns == made.scale.shape
            and columns in ((0,), made.bank.shape[1:])
            and made.nearest.shape == (1,)
            and 1 <= made.nearest[0] <= len(made.bank)
        )
        if not fits or not all(np.isfinite(array).all() for array in arrays.values()) or not (made.scale >= 0).all():
            raise ValueError("distances have shapes that do not go together, or hold NaN or infinity")
        return made


def own_distances(rows: Placed, nearest: int) -> Array | None:
    """(N,) float64: of each row, the distance to the nearest-th of the others that are not of its block, at most to one
    in five; None where there are fewer than `FEWEST` rows, or blocks of them.

    Of more than `MOST` rows so many are drawn to be near to.
    """
    if len(np.unique(rows.blocks)) < FEWEST:
        return None
    centre, scale = _columns(rows)
    drawn = np.sort(np.random.default_rng(0).permutation(len(rows.blocks))[:MOST])
    scaled = _scaled(rows.features, centre, scale)
    others = rows.blocks[:, None] != rows.blocks[None, drawn]
    nearest = min(nearest, len(drawn) // 5, int(others.sum(axis=1).min()))
    return _kth(np.where(others, _between(scaled, scaled[drawn]), np.inf), nearest) if nearest else None


def _columns(rows: Placed) -> tuple[Array, Array]:
    """By what columns are standardised; nothing where only the direction of rows counts."""
    if rows.unit:
        return np.zeros(0), np.zeros(0)
    scale = rows.features.std(axis=0, dtype=np.float64)
    return rows.features.mean(axis=0, dtype=np.float64), np.where(scale > 0, scale, 1.0)


def _scaled(features: Array, centre: Array, scale: Array) -> Array:
    """float64, standardised; or without columns to do so float32, the signed root at length 1."""
    if len(centre):
        return np.asarray((np.asarray(features, dtype=np.float64) - centre) / scale)
    features = np.asarray(features, dtype=np.float32)
    x = np.copysign(np.sqrt(np.abs(features)), features)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.where(length > 0, length, 1.0))


def _between(rows: Array, others: Array) -> Array:
    """(N, M) squared distances; of rows of length 1 by one product in float32."""
    return expanded(rows, others) if rows.dtype == np.float32 else apart(rows, others)


def _kth(distances: Array, nearest: int) -> Array:
    return np.asarray(np.partition(distances, nearest - 1, axis=1)[:, nearest - 1])
