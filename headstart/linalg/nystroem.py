"""Features whose products are nearly those of a Gaussian kernel (Nystroem; Williams and Seeger, 2001).

phi(x) = k(x, Z) k(Z, Z)^-1/2,     phi(x)'phi(x')  ~  k(x, x'),  equal where x or x' is one of Z
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import eigh

from headstart.linalg.gaussian import kernel, squared_distances
from headstart.linalg.moments import blocks
from headstart.tasks.task import Array

__all__ = ["nystroem"]


def nystroem(z: Array, gamma: float) -> Callable[[Array], Array]:
    """From rows z (p, d) the map of rows (n, d) to features (n, p), fewer where z repeats itself; block by block."""
    values, vectors = eigh(kernel(squared_distances(z, z), gamma))
    kept = values > len(z) * np.finfo(np.float64).eps * values[-1]
    root = vectors[:, kept] / np.sqrt(values[kept])

    def phi(rows: Array) -> Array:
        found = np.empty((len(rows), root.shape[1]))
        for part in blocks(len(rows)):
            found[part] = kernel(squared_distances(rows[part], z), gamma) @ root
        return found

    return phi
