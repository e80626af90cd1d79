"""Subspace alignment (Fernando, Habrard, Sebban and Tuytelaars, 2013): each task in its own principal axes, matched.

    P_s, P_t   (d, dim) the leading eigenvectors of cov(X_s) and cov(X_t)
    x  ->  (x - mean_s) P_s M,   M = P_s' P_t        for source rows: the linear map that brings P_s nearest to P_t
    x  ->  (x - mean_t) P_t                          for target rows

Use it where the tasks vary along other directions, pictures from other cameras above all. Not with few features: with
`dim` = d it does no more than centre each task.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from headstart.adaptation.alignment.checks import rows_of_both
from headstart.adaptation.alignment.step import Aligned, Domains
from headstart.checks import above, whole
from headstart.linalg.moments import affine, moments
from headstart.tasks.task import Array

__all__ = ["SubspaceAlignment"]


@dataclass(frozen=True, kw_only=True)
class SubspaceAlignment:
    """Bring the source's principal axes onto the target's.

    dim     axes kept; None: as many as `share` asks for
    share   of the target's variance that the axes must hold where `dim` is None, at most 1
    """

    dim: int | None = None
    share: float = 0.95

    def __post_init__(self) -> None:
        if self.dim is not None:
            whole("dim", self.dim, 1, "10, or None to go by share")
        above("share", self.share, 0, "0.95")
        if self.share > 1:
            raise ValueError(f"share={self.share!r}: expected at most 1, such as 0.95")

    def __call__(self, domains: Domains) -> Aligned:
        """Source rows (n, d) -> (n, dim). Raises ValueError: one row, dim above what the tasks span, no variance."""
        rows_of_both(domains, 2, "to see how features vary")
        source, target = moments(domains.source, domains.weights), moments(domains.target)
        (values_s, p_s), (values_t, p_t) = _axes(source.covariance, "source"), _axes(target.covariance, "target")
        dim = self.dim or min(len(values_s), _reaching(values_t, self.share))
        if dim > min(len(values_s), len(values_t)):
            raise ValueError(
                f"dim={dim}, but the source varies along {len(values_s)} axes and the target along {len(values_t)}: "
                f"expected at most {min(len(values_s), len(values_t))}; dim=None chooses"
            )
        p_s, p_t = p_s[:, :dim], p_t[:, :dim]
        zero, mean_t = np.zeros(dim), target.mean

        def move(rows: Array) -> Array:
            return affine(rows, mean_t, p_t, zero)

        moved = affine(domains.source, source.mean, p_s @ (p_s.T @ p_t), zero)
        overlap = float(np.linalg.norm(p_s.T @ p_t) ** 2 / dim)
        return Aligned(moved, domains.targets, domains.weights, move, {"dim": dim, "overlap": overlap})


def _axes(covariance: Array, name: str) -> tuple[Array, Array]:
    """Eigenvalues, falling, and eigenvectors, without those that are zero up to rounding."""
    values, vectors = eigh(covariance, driver="evd")
    spanned = values > len(values) * np.finfo(np.float64).eps * max(float(values[-1]), 0.0)
    if not spanned.any():
        raise ValueError(f"all rows of the {name} are the same: expected features that vary: give other {name} rows")
    return values[spanned][::-1], vectors[:, spanned][:, ::-1]


def _reaching(values: Array, share: float) -> int:
    """How many of the eigenvalues hold this share of their sum."""
    shares = np.cumsum(values) / values.sum()
    return min(int(np.searchsorted(shares, share - 1e-12)) + 1, len(values))
