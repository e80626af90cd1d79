"""Random Fourier features: a map z whose inner products are nearly a Gaussian kernel (Rahimi and Recht, 2007).

    z(x) = (cos(x'w_1), ..., cos(x'w_R), sin(x'w_1), ..., sin(x'w_R)) / sqrt(R),    w ~ N(0, 2 gamma I)
    z(x)'z(y) ~ exp(-gamma |x - y|^2),    |z(x)| = 1

What is summed of z today is compared with what is summed in a year, by another version of numpy: hence the frequencies
come from the bits of a generator that is held stable, and not from its normal numbers.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from headstart.linalg.moments import blocks
from headstart.tasks.kind import Array

__all__ = ["FREQUENCIES", "fourier", "frequencies"]

FREQUENCIES = 256
"""R: the kernel is off by some 1 / sqrt(R) = .06 between two rows, and by far less in a mean over rows."""
_BITS = 11


def frequencies(width: int, gamma: float, count: int = FREQUENCIES) -> Array:
    """(width, count) float32: the same on every machine but for last bits."""
    bits = np.random.Philox(key=0).random_raw(width * count)
    uniform = ((bits >> np.uint64(_BITS)).astype(np.float64) + 0.5) / 2.0 ** (64 - _BITS)
    return np.asarray(np.sqrt(2 * gamma) * ndtri(uniform).reshape(width, count), dtype=np.float32)


def fourier(rows: Array, w: Array) -> Array:
    """z of rows (N, D) by frequencies (D, R): (N, 2 R) float32."""
    count = w.shape[1]
    z = np.empty((len(rows), 2 * count), np.float32)
    for block in blocks(len(rows)):
        angles = np.asarray(rows[block], np.float32) @ w
        np.cos(angles, out=z[block, :count])
        np.sin(angles, out=z[block, count:])
    return np.asarray(z / np.float32(np.sqrt(count)))
