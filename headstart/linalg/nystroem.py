"""Features whose products are nearly those of a Gaussian kernel (Nystroem; Williams and Seeger, 2001).

phi(x) = k(x, Z) k(Z, Z)^-1/2,     phi(x)'phi(x')  ~  k(x, x'),  equal where x or x' is one of Z
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import eigh

from headstart.linalg.distances import squared_distances
from headstart.linalg.gaussian import kernel
from headstart.linalg.moments import blocks
from headstart.tasks.task import Array

__all__ = ["inverse_root", "nystroem"]


def nystroem(z: Array, gamma: float) -> Callable[[Array], Array]:
    """From rows z (p, d) the map of rows (n, d) to features (n, p), fewer where z repeats itself; block by block."""
    root = inverse_root(kernel(squared_distances(z, z), gamma), len(z) * np.finfo(np.float64).eps)

    def phi(rows: Array) -> Array:
        features = np.empty((len(rows), root.shape[1]))
        for part in blocks(len(rows)):
            features[part] = kernel(squared_distances(rows[part], z), gamma) @ root
        return features

    return phi


def inverse_root(gram: Array, flat: float) -> Array:
    """R (p, r) with R R' = K^-1 of a positive semidefinite K (p, p), without the axes along which K is at most `flat`
    of its greatest."""
    values, vectors = eigh(gram)
    steep = values > flat * values[-1]
    return np.asarray(vectors[:, steep] / np.sqrt(values[steep]))
