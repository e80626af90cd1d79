"""Kernel mean matching (Huang, Smola, Gretton, Borgwardt and Schoelkopf, 2007).

    min_w  1/2 w'K w - kappa'w     where  0 <= w_i <= B  and  |sum_i w_i - n| <= n eps

    K_ij = k(x_i, x_j) over source rows,  kappa_i = n/m sum_j k(x_i, z_j) over target rows,  k Gaussian

Use it under covariate shift, where the source covers the target. Not where P(y | x) changes; with many features all
kernels are alike and so are the weights. K and its factor take 16 n^2 bytes (2000 rows: seconds; time grows with n^3):
`most=` solves on a sample of the source rows and gives each row the kernel regression of the weights found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.align.aligned import Aligned, Domains
from headstart.align.checks import same_rows
from headstart.align.gaussian import kernel, kernel_regression, mean_kernel, median_gamma, squared_distances
from headstart.align.programme import solve_programme
from headstart.align.weighing import check_count, check_option, drawn, level, weighed

__all__ = ["KMM"]

TINY = 1e-9


@dataclass(frozen=True, kw_only=True)
class KMM:
    """Weights under which the mean of the source rows in kernel space is that of the target rows.

    gamma   of the kernel exp(-gamma |x - z|^2); None: by the median distance
    bound   B, the largest weight before they get mean 1
    eps     how far the mean weight may be from 1; None: (sqrt n - 1) / sqrt n
    most    source rows to solve for, drawn by `seed`; None: all
    limit   GB that the kernel matrix and its factor may take
    Raises ValueError for bad options, and where the matrix would take more than `limit`
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
        n = len(source) if self.most is None else min(self.most, len(source))
        self._fits(n)
        if same_rows(domains):
            return level(domains)
        gamma = median_gamma(source, target, self.seed) if self.gamma is None else self.gamma
        rows = drawn(source, n, self.seed)
        eps = 1 - n**-0.5 if self.eps is None else self.eps
        kappa = n * mean_kernel(rows, target, gamma)
        if not kappa.max() > TINY * n:
            raise ValueError(
                f"no source row is near a target row at gamma {gamma:g}: use a smaller gamma, "
                "or standardise the features"
            )
        K = kernel(squared_distances(rows, rows), gamma)
        w = solve_programme(K, kappa, self.bound, (n * (1 - eps), n * (1 + eps)))
        facts = {"gamma": gamma, "eps": eps, "rows": n, "clipped": bool((w >= self.bound * (1 - 1e-6)).any())}
        return weighed(domains, w if n == len(source) else kernel_regression(source, rows, w, gamma), facts)

    def _check(self) -> None:
        tiny = float(np.finfo(float).tiny)
        check_option("gamma", 1.0 if self.gamma is None else self.gamma, tiny)
        check_option("bound", self.bound, 1.0)
        check_option("eps", 0.0 if self.eps is None else self.eps, 0.0, 1.0)
        check_count("most", 1 if self.most is None else self.most, 1)
        check_option("limit", self.limit, 0.0)

    def _fits(self, n: int) -> None:
        needed = 16e-9 * n * n
        if needed > self.limit:
            fits = int((self.limit / 16e-9) ** 0.5)
            raise ValueError(
                f"the kernel matrix of {n} source rows and its factor would take {needed:.1f} GB, and the limit is "
                f"{self.limit:g}: use most={max(fits, 1)} or fewer rows, or a larger limit"
            )
