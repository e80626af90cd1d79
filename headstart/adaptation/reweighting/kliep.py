"""KLIEP, the Kullback-Leibler importance estimation procedure (Sugiyama et al., 2008).

    max_theta  sum_j log w(z_j)     where  mean_i w(x_i) = 1,  theta >= 0,  w(x) = sum_l theta_l k(x, c_l)

x_i source rows, z_j target rows, c_l target rows. With b_l = mean_i k(x_i, c_l) and theta_l = pi_l / b_l this finds
the shares pi of a mixture with parts k(z, c_l) / b_l, to 1e-5 of the greatest likelihood (`linalg/mixture.py`); the
width of k has the greatest likelihood of target rows held out. Use it under covariate shift with few features; not
where the source does not cover the target.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.adaptation.alignment.checks import same_rows
from headstart.adaptation.alignment.step import Aligned, Domains
from headstart.adaptation.reweighting.centres import affordable_kernels, to_centres
from headstart.adaptation.reweighting.weights import drawn, level, rows_needed, weighed
from headstart.checks import above, whole
from headstart.linalg.gaussian import kernel, median_gamma
from headstart.linalg.mixture import mixture_shares
from headstart.tasks.task import Array

__all__ = ["KLIEP"]

WIDTHS = (0.1, 0.3, 1.0, 3.0, 10.0)
TINY = 1e-300
HELD = 5000


@dataclass(frozen=True, kw_only=True)
class KLIEP:
    """Weights by the density ratio that gives target rows the greatest likelihood.

    gamma     of the kernel; None: five widths around the median distance are tried
    centres   number of target rows, drawn by `seed`, that kernels stand on
    folds     of the target rows, at most 5000 of them, to choose the width
    limit     GB that the kernels may take
    Raises ValueError for bad options, above the limit, and for fewer than two target rows where no gamma is given
    """

    gamma: float | None = None
    centres: int = 100
    folds: int = 5
    limit: float = 2.0
    seed: int = 0

    def memory(self, n: int, m: int) -> int:
        """Bytes that a call takes beyond the data, for n source and m target rows."""
        return 8 * min(self.centres, m) * (2 * n + 5 * m)

    def __call__(self, domains: Domains) -> Aligned:
        if self.gamma is not None:
            above("gamma", self.gamma, 0, "0.5, or None for the median distance")
        whole("centres", self.centres, 1, "100")
        whole("folds", self.folds, 2)
        above("limit", self.limit, 0, "2")
        if self.gamma is None:
            rows_needed(domains, 1, 2, "to choose the width on rows held out; or give gamma")
        needed = self.memory(len(domains.source), len(domains.target))
        affordable_kernels(domains, self.centres, needed, self.limit)
        if same_rows(domains):
            return level(domains)
        apart = to_centres(domains, self.centres, self.seed)
        gamma, likelihood = self._gamma(domains, apart)
        k_p, k_q = (kernel(distances, gamma, out=distances) for distances in apart)
        w = k_p @ _theta(k_q, k_p.mean(axis=0), out=k_q)
        facts = {"gamma": gamma, "centres": apart[0].shape[1], "likelihood": likelihood, "clipped": False}
        return weighed(domains, w, facts)

    def _gamma(self, domains: Domains, apart: tuple[Array, Array]) -> tuple[float, float | None]:
        """The width, and the mean log ratio of target rows held out."""
        if self.gamma is not None:
            return self.gamma, None
        middle = median_gamma(domains.source, domains.target, self.seed)
        apart = apart[0], drawn(apart[1], HELD, self.seed + 1)
        fold = np.random.default_rng(self.seed + 1).permutation(len(apart[1])) % self.folds
        tried = [(self._likelihood(apart, middle * by, fold), middle * by) for by in WIDTHS]
        best = max(tried)
        return best[1], best[0]

    def _likelihood(self, apart: tuple[Array, Array], gamma: float, fold: Array) -> float:
        k_p, k_q = (kernel(distances, gamma) for distances in apart)
        b = k_p.mean(axis=0)
        ratios, every = np.empty(len(k_q)), _theta(k_q, b, 1e-3)
        for number in np.unique(fold):
            out = fold == number
            ratios[out] = k_q[out] @ _theta(k_q[~out], b, 1e-3, every)
        return float(np.log(np.maximum(ratios, TINY)).mean())


def _theta(k_q: Array, b: Array, short: float = 1e-5, start: Array | None = None, *, out: Array | None = None) -> Array:
    """Centres that no source row is near are left out: their weight would rest on nothing. `out`: k_q, to use it up."""
    near = b > TINY
    theta = np.zeros(len(b))
    if near.any():
        pi = None if start is None else (start * b)[near]
        r = np.divide(k_q, b, out=out) if near.all() else k_q[:, near] / b[near]
        theta[near] = mixture_shares(r, start=pi, short=short) / b[near]
    return theta
