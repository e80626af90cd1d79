"""Least-squares density ratios: RuLSIF (Yamada et al., 2013) and, at alpha = 0, uLSIF (Kanamori et al., 2009).

    w(x) = q(x) / (alpha q(x) + (1 - alpha) p(x))  ~  sum_l theta_l k(x, c_l)      p source, q target, c_l target rows
    theta = (H + lambda I)^-1 h
    H = (1 - alpha) mean_p k(x) k(x)' + alpha mean_q k(z) k(z)',    h = mean_q k(z)

The width of k and lambda have the least loss on pairs (x_i, z_i) left out, in closed form. Use it as the first choice
under covariate shift with up to some tens of features: it is fast, and alpha > 0 bounds the weights by 1 / alpha. Not
where the source does not cover the target.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from headstart.adaptation.alignment.checks import same_rows
from headstart.adaptation.alignment.step import Aligned, Domains
from headstart.adaptation.reweighting.centres import affordable_kernels, to_centres
from headstart.adaptation.reweighting.left_out import left_out_losses
from headstart.adaptation.reweighting.weights import drawn, level, rows_needed, weighed
from headstart.checks import above, between, whole
from headstart.linalg.gaussian import blended_gram, kernel, median_gamma
from headstart.tasks.task import Array

__all__ = ["ULSIF", "RuLSIF"]

WIDTHS = (0.1, 0.3, 1.0, 3.0, 10.0)
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
LEFT_OUT = 2000
Tried = tuple[float | None, float, float]


@dataclass(frozen=True, kw_only=True)
class RuLSIF:
    """Weights by the relative density ratio; those below 0 are set to 0.

    alpha     share of the target in the mixture that q is divided by, 0 <= alpha < 1
    gamma     of the kernel; None: five widths around the median distance are tried
    penalty   lambda; None: five are tried
    centres   number of target rows, drawn by `seed`, that kernels stand on
    limit     GB that the kernels may take
    Raises ValueError for bad options, where a task has fewer than two rows, and above the limit
    """

    alpha: float = 0.1
    gamma: float | None = None
    penalty: float | None = None
    centres: int = 100
    limit: float = 2.0
    seed: int = 0

    def memory(self, n: int, m: int) -> int:
        """Bytes that a call takes beyond the data, for n source and m target rows."""
        return 8 * min(self.centres, m) * (3 * (n + m) + 10 * min(n, m, LEFT_OUT))

    def __call__(self, domains: Domains) -> Aligned:
        between("alpha", self.alpha, 0.0, float(np.nextafter(1, 0)))
        if self.gamma is not None:
            above("gamma", self.gamma, 0, "0.5, or None for the median distance")
        if self.penalty is not None:
            above("penalty", self.penalty, 0, "0.1, or None to try five")
        whole("centres", self.centres, 1, "100")
        above("limit", self.limit, 0, "2")
        rows_needed(domains, 2, 2, "for a row is left out to choose the width")
        needed = self.memory(len(domains.source), len(domains.target))
        affordable_kernels(domains, self.centres, needed, self.limit)
        if same_rows(domains):
            return level(domains)
        apart = to_centres(domains, self.centres, self.seed)
        loss, gamma, penalty = min(self._tried(domains, apart), key=lambda tried: (tried[0] or 0.0, *tried[1:]))
        k_p, k_q = (kernel(distances, gamma) for distances in apart)
        theta = _theta(k_p, k_q, self.alpha, penalty)
        w = k_p @ theta
        facts = {"alpha": self.alpha, "gamma": gamma, "penalty": penalty, "loss": loss, "centres": apart[0].shape[1]}
        return weighed(domains, np.maximum(w, 0), {**facts, "clipped": bool((w < 0).any())})

    def _tried(self, domains: Domains, apart: tuple[Array, Array]) -> list[Tried]:
        """Loss, gamma, penalty: rows left out are drawn in pairs, at most 2000. No loss where both are given."""
        if self.gamma is not None and self.penalty is not None:
            return [(None, self.gamma, self.penalty)]
        middle = median_gamma(domains.source, domains.target, self.seed) if self.gamma is None else 1.0
        gammas = [middle * by for by in WIDTHS] if self.gamma is None else [self.gamma]
        penalties = PENALTIES if self.penalty is None else (self.penalty,)
        few = tuple(drawn(distances, LEFT_OUT, self.seed + 1) for distances in apart)
        tried: list[Tried] = []
        for gamma in gammas:
            k_p, k_q = (kernel(distances, gamma) for distances in few)
            losses = left_out_losses(k_p, k_q, self.alpha, penalties)
            tried += [(loss, gamma, penalty) for loss, penalty in zip(losses, penalties, strict=True)]
        return tried


@dataclass(frozen=True, kw_only=True)
class ULSIF(RuLSIF):
    """Weights by the plain density ratio q(x) / p(x): `RuLSIF` with alpha 0."""

    alpha: float = field(default=0.0, init=False)


def _theta(k_p: Array, k_q: Array, alpha: float, penalty: float) -> Array:
    H = blended_gram(k_p, k_q, (1 - alpha) / len(k_p), alpha / len(k_q))
    H[np.diag_indices(len(H))] += penalty
    h = k_q.mean(axis=0)
    try:
        return np.asarray(cho_solve(cho_factor(H, check_finite=False), h, check_finite=False))
    except np.linalg.LinAlgError:  # a penalty that rounding swallows
        return np.linalg.solve(H, h)
