"""Kernel mean matching (Huang, Smola, Gretton, Borgwardt and Schoelkopf, 2007).

    min_w  1/2 w'K w - kappa'w     where  0 <= w_i <= B  and  |sum_i w_i - n| <= n eps

    K_ij = k(x_i, x_j) over source rows,  kappa_i = n/m sum_j k(x_i, z_j) over target rows,  k Gaussian

Use it under covariate shift, where the source covers the target. Not where P(y | x) changes; with many features all
kernels are alike and so are the weights. K and its factor take 16 n^2 bytes (2000 rows: seconds; time grows with n^3).
With `most` K = phi phi' on Nystroem features of so many rows: 8 n most bytes, time n most^2, and nearly the same mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.adaptation.alignment.checks import same_rows
from headstart.adaptation.alignment.step import Aligned, Domains
from headstart.adaptation.reweighting.weights import level, weighed
from headstart.checks import above, affordable, between, whole
from headstart.linalg.distances import squared_distances
from headstart.linalg.gaussian import kernel, mean_kernel, median_gamma
from headstart.linalg.kernels import landmarks
from headstart.linalg.moments import BLOCK, blocks
from headstart.linalg.nystroem import nystroem
from headstart.linalg.quadratic_program import Factored, solve_programme
from headstart.tasks.task import Array

__all__ = ["KMM"]

TINY = 1e-9
MOST = "set most= to fewer rows for the kernel to stand on (Nystroem), such as most=500"


@dataclass(frozen=True, kw_only=True)
class KMM:
    """Weights under which the mean of the source rows in kernel space is that of the target rows.

    gamma   of the kernel exp(-gamma |x - z|^2); None: by the median distance
    bound   B, the largest weight before they get mean 1
    eps     how far the mean weight may be from 1; None: (sqrt n - 1) / sqrt n
    most    rows that the kernel stands on, half from each task, drawn by `seed` (Nystroem); None: the kernel as it is
    limit   GB that the kernels may take
    Raises ValueError for bad options, and where the kernels would take more than `limit`
    """

    gamma: float | None = None
    bound: float = 1000.0
    eps: float | None = None
    most: int | None = None
    limit: float = 2.0
    seed: int = 0

    def __call__(self, domains: Domains) -> Aligned:
        source, target = domains.source, domains.target
        self._check()
        n, m = len(source), len(target)
        affordable(self.memory(n, m), self.limit, f"kernels of {n} source rows", MOST)
        if same_rows(domains):
            return level(domains)
        gamma = median_gamma(source, target, self.seed) if self.gamma is None else self.gamma
        eps = 1 - n**-0.5 if self.eps is None else self.eps
        K, mean, rows = self._kernels(domains, gamma)
        if not mean.max() > TINY:
            raise ValueError(
                f"no source row is near a target row at gamma {gamma:g}: use a smaller gamma, "
                "or standardise the features"
            )
        bound = min(self.bound, 2.0 * n + 1)  # weights add up to at most n (1 + eps): more is no bound
        w = solve_programme(K, n * mean, bound, (n * (1 - eps), n * (1 + eps)))
        facts = {"gamma": gamma, "eps": eps, "rows": rows, "clipped": bool((w >= self.bound * (1 - 1e-6)).any())}
        return weighed(domains, w, facts)

    def memory(self, n: int, m: int) -> int:
        """Bytes that a call takes beyond the data, for n source and m target rows."""
        p = min(n + m, n if self.most is None else self.most)
        return 16 * n * n if self.most is None else 8 * p * (n + 6 * p + 4 * BLOCK)

    def _kernels(self, domains: Domains, gamma: float) -> tuple[Array | Factored, Array, int]:
        """K, kappa / n, and how many rows the kernel stands on."""
        source, target = domains.source, domains.target
        if self.most is None:
            return kernel(squared_distances(source, source), gamma), mean_kernel(source, target, gamma), len(source)
        z = landmarks(source, target, self.most, self.seed)
        phi = nystroem(z, gamma)
        features, total = phi(source), np.zeros(())
        for part in blocks(len(target)):
            total = total + phi(target[part]).sum(axis=0)
        return Factored(features), features @ (total / len(target)), len(z)

    def _check(self) -> None:
        if self.gamma is not None:
            above("gamma", self.gamma, 0, "0.5, or None for the median distance")
        between("bound", self.bound, 1.0)
        between("eps", 0.0 if self.eps is None else self.eps, 0.0, 1.0)
        whole("most", 2 if self.most is None else self.most, 2, "1000, or None for all rows")
        above("limit", self.limit, 0, "2")
