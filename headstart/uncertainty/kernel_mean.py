"""Whether many rows as a whole are unlike those that a model learnt from: the maximum mean discrepancy.

    MMD^2 = |E z(x) - E z(y)|^2 = E k(x, x') - 2 E k(x, y) + E k(y, y')

(Gretton et al., 2012), of a Gaussian kernel k with 1 / the median squared distance, by random Fourier features z
(`linalg.random_features`), so that of the training rows and of those that are compared only sums are needed. The
estimate is unbiased: a row is not compared with itself, nor a training row with those of its block.

Where n rows y are like the M rows x, MMD^2 is nearly distributed as (1/n + 1/M) sum_k l_k (chi^2_1 - 1) with the
eigenvalues l_k of the covariance of z(x): what a bootstrap of the training rows comes to, for a window of any length
(Gretton et al., 2009, "A fast, consistent kernel two-sample test"). M counts blocks of training rows by Kish (1965).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from headstart.linalg.chi_squares import upper_tail
from headstart.linalg.distances import apart, expanded, unit_gamma
from headstart.linalg.random_features import fourier, frequencies
from headstart.tasks.kind import Array
from headstart.uncertainty.out_of_distribution import BANK, OutOfDistribution, Placed

__all__ = ["FEWEST", "MOST", "Discrepancy", "KernelMean"]

FEWEST = 20
"""Rows below which nothing is told of them: the distribution of the estimate is one of many rows."""
MOST = 2_000
"""Training rows that are summed, drawn from all."""
_NOTHING, _HALVINGS = 1e-9, 40
_FIELDS = ("width", "gamma", "mean", "square", "spectrum", "count")


class Discrepancy(NamedTuple):
    """squared   the unbiased estimate of MMD^2, which may be below 0
    p         the probability of one as large, of rows that are like those of the training
    """

    squared: float
    p: float


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelMean:
    """Training rows as sums, where `scaled` rows are those of an `OutOfDistribution`.

    width      (1,) int64 D, how many features a row has
    gamma      (1,) of the kernel
    mean       (2 R,) E z(x)
    square     (1,) the unbiased estimate of |E z(x)|^2
    spectrum   (K,) the eigenvalues of the covariance of z(x), the largest first
    count      (1,) M, how many independent rows they are as good as
    """

    width: Array
    gamma: Array
    mean: Array
    square: Array
    spectrum: Array
    count: Array

    @classmethod
    def of(cls, rows: Placed, distribution: OutOfDistribution) -> KernelMean:
        """Of the training rows that `distribution` is of."""
        rows = rows.take(np.random.default_rng(0).permutation(len(rows.blocks))[:MOST])
        scaled = distribution.scaled(rows.features)
        gamma = unit_gamma(_pairs(scaled[:BANK]))
        z = fourier(scaled, frequencies(scaled.shape[1], gamma)).astype(np.float64)
        numbers = np.unique(rows.blocks, return_inverse=True)[1].ravel()
        sizes = np.bincount(numbers)
        same = float(np.square(sizes).sum())
        total = len(z) ** 2
        by_block = np.zeros((len(sizes), z.shape[1]))
        np.add.at(by_block, numbers, z)
        mean = z.mean(axis=0)
        return cls(
            width=np.array([scaled.shape[1]]),
            gamma=np.array([gamma]),
            mean=mean,
            square=np.array([(np.square(by_block.sum(axis=0)).sum() - np.square(by_block).sum()) / (total - same)]),
            spectrum=_spectrum(z - mean, len(z) - same / len(z)),
            count=np.array([total / same]),
        )

    @cached_property
    def frequencies(self) -> Array:
        """(D, R) of the random features."""
        return frequencies(int(self.width[0]), float(self.gamma[0]), len(self.mean) // 2)

    def sums(self, scaled: Array) -> Array:
        """(2 R,) float64: the sum of z over scaled rows (N, D)."""
        return np.asarray(fourier(scaled, self.frequencies).sum(axis=0, dtype=np.float64))

    def discrepancy(self, sums: Array, rows: int) -> Discrepancy:
        """Of rows of which `sums` (2 R,) is the sum of z. Raises ValueError for fewer than `FEWEST` of them."""
        if rows < FEWEST:
            raise ValueError(f"{rows} rows are too few to compare: expected {FEWEST} or more")
        theirs = (float(sums @ sums) - rows) / (rows * (rows - 1))  # |z| = 1
        squared = theirs + float(self.square[0]) - 2 * float(sums @ self.mean) / rows
        spread = 1 / rows + 1 / float(self.count[0])
        return Discrepancy(squared, upper_tail(self.spectrum, squared / spread + float(self.spectrum.sum())))

    def arrays(self) -> dict[str, Array]:
        """As named arrays, for a file."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> KernelMean:
        """What `arrays` gave. Raises ValueError where they are nothing of the kind."""
        if sorted(arrays) != sorted(_FIELDS):
            raise ValueError(f"means are {', '.join(_FIELDS)}; these are {', '.join(sorted(arrays))}")
        made = cls(**arrays)
        fits = (
            all(array.shape == (1,) for array in (made.width, made.gamma, made.square, made.count))
            and made.mean.ndim == made.spectrum.ndim == 1
            and len(made.mean) % 2 == 0
            and len(made.mean) > 0
        )
        if not fits or not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError("means have shapes that do not go together, or hold NaN or infinity")
        if not (made.width[0] >= 1 and made.gamma[0] > 0 and made.count[0] >= 1 and (made.spectrum >= 0).all()):
            raise ValueError("means hold a width, a number of rows or a variance that is none")
        return made


def _pairs(rows: Array) -> Array:
    """Squared distances between rows, each pair once."""
    distances = expanded(rows, rows) if rows.dtype == np.float32 else apart(rows, rows)
    return np.asarray(distances[np.triu_indices(len(rows), 1)])


def _spectrum(centred: Array, freedom: float) -> Array:
    """Eigenvalues of the covariance of centred rows (N, 2 R), without those that are nothing.

    Of few rows they are too uneven: the sum of their squares counts each row against itself. They are lowered alike, so
    that it is that between different rows, which is nearly unbiased (Chen and Qin, 2010).
    """
    small = centred @ centred.T if len(centred) < centred.shape[1] else centred.T @ centred
    values = np.maximum(np.linalg.eigvalsh(small)[::-1], 0) / freedom
    itself = np.square(np.square(centred).sum(axis=1)).sum()
    wanted = (np.square(values * freedom).sum() - itself) / (len(centred) * (len(centred) - 1))
    low, high = 0.0, float(values[0])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if np.square(np.maximum(values - middle, 0)).sum() > wanted else (low, middle)
    values = values - low
    return np.asarray(values[values > _NOTHING * max(1.0, float(values[0]))])
