"""Transfer component analysis (Pan, Tsang, Kwok and Yang, 2011): kernel components in which the tasks' means agree.

    Phi = k(X, Z),  X both tasks' rows, Z the rows that the kernel stands on (all, or `most` of them: Nystroem)
    v = mean of Phi over source rows - mean over target rows,   S = Phi' H Phi / N   (H centres)
    W = the `dim` leading solutions of   S w = lambda (p / N I + mu v v') w,  scaled to w' S w = 1
    x  ->  k(x, Z) W        for source and target rows alike

Use it where tasks differ along directions that do not tell classes apart. With Z = X these are the paper's components
with its mu put on the distance, as in its first form (2009): 1 / mu of the form of 2011. N x N is never held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import numpy as np
from scipy.linalg import eigh

from headstart.adaptation.alignment.checks import rows_of_both
from headstart.adaptation.alignment.step import Aligned, Domains
from headstart.checks import above, affordable, one_of, whole
from headstart.linalg.kernels import Kernel, kernel, landmarks, width
from headstart.linalg.moments import BLOCK, blocks
from headstart.tasks.task import Array

__all__ = ["TCA"]


@dataclass(frozen=True, kw_only=True)
class TCA:
    """Components of a kernel, of unit variance over both tasks.

    dim      how many
    mu       what a distance between the tasks' means costs
    kernel   "rbf": exp(-gamma |x - z|^2), "linear": x . z, "cosine"
    gamma    of "rbf", in 1 / squared units of the features; None: 1 / median squared distance
    most     rows that the kernel stands on, half from each task; memory grows with its square
    limit    GB above which it refuses
    seed     of their draw
    """

    dim: int = 10
    mu: float = 0.1
    kernel: Kernel = "rbf"
    gamma: float | None = None
    most: int = 2000
    limit: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        whole("dim", self.dim, 1, "10")
        whole("most", self.most, 2, "2000")
        above("mu", self.mu, 0, "0.1", equal=True)
        above("limit", self.limit, 0, "2")
        if self.gamma is not None:
            above("gamma", self.gamma, 0, "0.1, or None for the median distance")
        one_of("kernel", self.kernel, get_args(Kernel))

    def memory(self, rows: int) -> int:
        """Bytes that a call takes beyond the data, for this many rows of both tasks."""
        return 8 * min(rows, self.most) * (5 * min(rows, self.most) + 4 * BLOCK)

    def __call__(self, domains: Domains) -> Aligned:
        """Source rows (n, d) -> (n, dim). Raises ValueError: dim above the kernel's rank, too little memory."""
        rows_of_both(domains, 1, "to have a mean")
        n, m = len(domains.source), len(domains.target)
        affordable(
            self.memory(n + m), self.limit, f"a kernel on {min(n + m, self.most)} rows", "set most= lower (Nystroem)"
        )
        z = landmarks(domains.source, domains.target, self.most, self.seed)
        gamma = (self.gamma or width(z)) if self.kernel == "rbf" else 1.0

        def phi(rows: Array) -> Array:
            return kernel(self.kernel, rows, z, gamma)

        v, scatter = _sums(domains, phi)
        w = self._components(v, scatter, n + m)

        def move(rows: Array) -> Array:
            parts = [phi(rows[part]) @ w for part in blocks(len(rows))]
            return np.concatenate(parts) if parts else np.empty((0, self.dim))

        facts: dict[str, object] = {"kernel_rows": len(z), "gamma": gamma, "distance": float(np.linalg.norm(v @ w))}
        return Aligned(move(domains.source), domains.targets, domains.weights, move, facts)

    def _components(self, v: Array, scatter: Array, rows: int) -> Array:
        p = len(v)
        if self.dim <= p:
            cost = np.eye(p) * p / rows + self.mu * np.outer(v, v)
            values, w = eigh(scatter, cost, subset_by_index=(p - self.dim, p - 1))
            if values[0] > p * np.finfo(np.float64).eps * values[-1]:
                return np.asarray((w / np.sqrt(values))[:, ::-1])
        instead = "fewer, such as dim=1" if self.dim > 1 else "features that vary, for all rows are the same"
        raise ValueError(f"dim={self.dim} is above the rank of the kernel on {p} rows: expected {instead}")


def _sums(domains: Domains, phi: Callable[[Array], Array]) -> tuple[Array, Array]:
    """v (p,) and S (p, p), block by block."""
    weights = np.ones(len(domains.source)) if domains.weights is None else domains.weights
    means, gram, total = [], np.zeros(()), 0.0
    for rows, w in ((domains.source, weights), (domains.target, np.ones(len(domains.target)))):
        mean = np.zeros(())
        for part in blocks(len(rows)):
            features = phi(rows[part])
            mean = mean + w[part] @ features
            gram = gram + (w[part, None] * features).T @ features
        means.append(mean)
        total += w.sum()
    center = (means[0] + means[1]) / total
    return means[0] / weights.sum() - means[1] / len(domains.target), gram / total - np.outer(center, center)
