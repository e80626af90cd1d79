"""Random Fourier features: a map z whose inner products are nearly a Gaussian kernel (Rahimi and Recht, 2007).

    z(x) = (cos(x'w_1), ..., cos(x'w_R), sin(x'w_1), ..., sin(x'w_R)) / sqrt(R),    w ~ N(0, 2 gamma I)
    z(x)'z(y) ~ exp(-gamma |x - y|^2),    |z(x)| = 1

What is summed of z today is compared with what is summed in a year, by another version of numpy: hence the frequencies
come from the bits of a generator that is held stable, and not from its normal numbers.
"""

from __future__ import annotations

import numpy as np

from headstart.linalg.moments import blocks
from headstart.tasks.kind import Array

__all__ = ["FREQUENCIES", "fourier", "frequencies"]

FREQUENCIES = 256
"""R: the kernel is off by some 1 / sqrt(R) = .06 between two rows, and by far less in a mean over rows."""
_HALF = 32


def frequencies(width: int, gamma: float, count: int = FREQUENCIES) -> Array:
    """(width, count) float32: the same on every machine but for last bits. Normal numbers by Box and Muller (1958)."""
    pairs = -(-width * count // 2)
    bits = np.random.Philox(key=0).random_raw(pairs)
    u = ((bits >> np.uint64(_HALF)).astype(np.float32) + np.float32(0.5)) / np.float32(2**_HALF)
    angle = (bits & np.uint64(2**_HALF - 1)).astype(np.float32) * np.float32(2 * np.pi / 2**_HALF)
    radius = np.sqrt(-2 * np.log(u)) * np.float32(np.sqrt(2 * gamma))
    normal = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
    return np.asarray(normal[: width * count].reshape(width, count))


def fourier(rows: Array, w: Array) -> Array:
    """z of rows (N, D) by frequencies (D, R): (N, 2 R) float32."""
    count = w.shape[1]
    z = np.empty((len(rows), 2 * count), np.float32)
    for block in blocks(len(rows)):
        angles = np.asarray(rows[block], np.float32) @ w
        np.cos(angles, out=z[block, :count])
        np.sin(angles, out=z[block, count:])
    return np.asarray(z / np.float32(np.sqrt(count)))
