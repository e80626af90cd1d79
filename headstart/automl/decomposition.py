"""One singular value decomposition of centred features, from which every score of features takes what it needs.

    X_c = X - 1 m' = U S V'        m = mean of the rows,   U (N, K),  S (K,),  V (D, K),   K = rank of X_c < N

Where N and D are both large it comes from the eigenvectors of the smaller Gram matrix, D x D or N x N, at a fifth of
the time; S^2 is then measured again along each axis, which gives back the digits that the Gram matrix has lost.
Axes along which the rows differ by no more than the rounding of the features are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from headstart.automl.checks import features_of
from headstart.linalg.blas import one_thread
from headstart.tasks.task import Array

__all__ = ["Decomposition", "Features", "decompose"]

DIRECT = 256
"""Up to so many rows or columns the singular values themselves are cheap."""


@dataclass(frozen=True, kw_only=True)
class Decomposition:
    """What `decompose` makes: give it to several scores instead of the features, and it is computed once.

    centred   X_c (N, D) float64
    mean      m (D,)
    squares   S^2 (K,), falling
    left      U (N, K)
    along     V' m (K,), the mean along each axis
    """

    centred: Array
    mean: Array
    squares: Array
    left: Array
    along: Array

    def __len__(self) -> int:
        return len(self.centred)

    @property
    def width(self) -> int:
        """D, constant columns counted."""
        return int(self.centred.shape[1])

    @cached_property
    def rows(self) -> Array:
        """(N, K) U S: the rows of X_c in the axes, with the same distances and inner products as before."""
        return np.asarray(self.left * np.sqrt(self.squares))

    @property
    def beyond(self) -> float:
        """The square of what of the mean no axis reaches."""
        return max(0.0, float(self.mean @ self.mean - self.along @ self.along)) if len(self) <= self.width else 0.0


Features = npt.ArrayLike | Decomposition


def decompose(features: Features) -> Decomposition:
    """Of features (N, D), real numbers. A decomposition comes back as it is. ValueError for NaN, and under two rows."""
    if isinstance(features, Decomposition):
        return features
    given = features_of(features)
    with one_thread():
        centred, mean, rounding = _centred(given)
        n, d = centred.shape
        axes = _direct(centred) if min(n, d) <= DIRECT else _by_gram(centred)
        values, left, right = axes
        least = max(max(n, d) * np.finfo(np.float64).eps * values[0], rounding) if len(values) else 0.0
        spanned = values > least
        return Decomposition(
            centred=centred,
            mean=mean,
            squares=np.square(values[spanned]),
            left=np.ascontiguousarray(left[:, spanned]),
            along=right[spanned] @ mean,
        )


def _centred(given: Array) -> tuple[Array, Array, float]:
    """Centred rows, their mean, and the singular value that the rounding of the features alone would have.

    Differences from the first row are taken first, so that a large mean costs no digits.
    """
    first = given[0].astype(np.float64)
    centred = given - first
    shift = centred.mean(axis=0)
    centred -= shift
    mean = first + shift
    eps = float(np.finfo(given.dtype).eps)
    centred[:, np.abs(centred).max(axis=0) <= eps * np.abs(mean)] = 0.0
    size = np.sqrt(np.mean(np.square(mean)) + np.mean(np.square(centred)))
    return centred, mean, eps * float(size) * (np.sqrt(len(given)) + np.sqrt(given.shape[1])) / 2


def _direct(centred: Array) -> tuple[Array, Array, Array]:
    """S (falling), U, V'."""
    left, values, right = np.linalg.svd(centred, full_matrices=False)
    return values, left, right


def _by_gram(centred: Array) -> tuple[Array, Array, Array]:
    """The same from eigenvectors; those of a Gram matrix that are nothing but its rounding are left out."""
    wide = centred.shape[0] < centred.shape[1]
    gram = centred @ centred.T if wide else centred.T @ centred
    squares, vectors = np.linalg.eigh(gram)
    certain = squares > max(centred.shape) * np.finfo(np.float64).eps * max(squares[-1], 0.0)
    vectors = vectors[:, certain][:, ::-1]
    other = centred.T @ vectors if wide else centred @ vectors
    values = np.sqrt(np.square(other).sum(axis=0))
    order = np.argsort(-values, kind="stable")
    values, vectors, other = values[order], vectors[:, order], (other / values)[:, order]
    return (values, vectors, other.T) if wide else (values, other, vectors.T)
