"""JDOT (Courty, Flamary, Habrard and Rakotomamonjy, 2017): features and answers are transported together.

    C_ij = alpha |x_i - z_j|^2 / max + |y_i - f(z_j)|^2 / scale     (classes as one-hot rows, scale 1; else variance)
    P = the exact plan of C,   f = argmin sum_ij P_ij |y_i - f(z_j)|^2 + penalty |f|_k^2,     in turns, from f = none
    learnt from, in regression: target rows z_j with the answer m sum_i P_ij y_i
    with classes: target rows z_j, once for every class c, weighing the sum of P_ij over source rows i of class c

Use it where each class has moved its own way. Not where the classes' shares, or the values of a regression, differ
between tasks: the target's answers are the source's, each as often. f is a kernel ridge on at most 500 rows. C is
n x m: about 56 n m bytes; or 56 batch^2, with a plan between each batch of target rows and as many source rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial.distance import cdist

from headstart.adaptation.alignment.batched import batched
from headstart.adaptation.alignment.checks import left_alone, rows_of_both, same
from headstart.adaptation.alignment.plans import affordable_plan, exact
from headstart.adaptation.alignment.step import Aligned, Domains, unmoved
from headstart.checks import above, whole
from headstart.linalg.distances import apart
from headstart.linalg.kernel_ridge import landmark_ridge
from headstart.linalg.kernels import landmarks
from headstart.linalg.moments import BLOCK
from headstart.tasks.task import Array

__all__ = ["JDOT"]

MOST = 500


@dataclass(frozen=True, kw_only=True)
class JDOT:
    """Give target rows the answers of the source rows that features and answers bring them.

    alpha     what the way between features costs, beside the way between answers
    penalty   of f's squared norm, beside its mean squared error
    rounds    turns of plan and f, at most
    batch     rows of either task in a plan; None: all in one
    limit     GB above which it refuses
    seed      of the draw of batches
    """

    alpha: float = 1.0
    penalty: float = 1e-2
    rounds: int = 10
    batch: int | None = None
    limit: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        above("alpha", self.alpha, 0, "1")
        above("penalty", self.penalty, 0, "0.01")
        above("limit", self.limit, 0, "2")
        whole("rounds", self.rounds, 1, "10")
        if self.batch is not None:
            whole("batch", self.batch, 2, "1000, or None for one plan")

    def memory(self, n: int, m: int) -> int:
        """Bytes that a call takes beyond the data and what it returns, for n source and m target rows."""
        return 56 * min(n, self.batch or n) * min(m, self.batch or m) + 24 * MOST * (MOST + min(m, BLOCK))

    def __call__(self, domains: Domains) -> Aligned:
        """Target rows with the source's answers. Raises ValueError: too little memory."""
        rows_of_both(domains, 1, "to be moved to")
        n, m = len(domains.source), len(domains.target)
        affordable_plan(self.memory(n, m), self.limit, n, m)
        if same(domains):
            return left_alone(domains)
        brought, facts = self._turns(domains, *_coded(domains))
        if not domains.classes:
            answers = brought.reshape(m, *domains.targets.shape[1:])
            return Aligned(domains.target, answers, None, unmoved, facts, n + np.arange(m))
        rows, answers = np.nonzero(brought > 1e-9)
        weights = brought[rows, answers]
        return Aligned(domains.target[rows], answers, weights / weights.mean(), unmoved, facts, n + rows)

    def _turns(self, domains: Domains, y: Array, scale: float) -> tuple[Array, dict[str, object]]:
        """The answers (m, k) that the plans bring, and what they cost."""
        x, z, pieces = domains.source, domains.target, self._pieces(domains)
        unit = max(float(apart(x[i], z[j]).max()) for i, j, _ in pieces) or 1.0

        @lru_cache(maxsize=1)
        def ways(k: int) -> Array:
            return np.asarray(self.alpha / unit * apart(x[pieces[k][0]], z[pieces[k][1]]))

        fit = landmark_ridge(z, landmarks(x, z, MOST, 0), self.penalty)
        brought, f, costs = np.empty((len(z), y.shape[1])), None, [np.inf]
        for _ in range(self.rounds):
            spent = 0.0
            for k, (i, j, a) in enumerate(pieces):
                cost = ways(k) if f is None else ways(k) + cdist(y[i], f[j], "sqeuclidean") / scale
                plan = exact(cost, a, np.full(len(j), 1 / len(j)))
                brought[j] = len(j) * plan.T @ y[i]
                spent += len(j) / len(z) * float(np.vdot(plan, ways(k)) + a @ np.square(y[i]).sum(1) / scale)
            f = fit(brought)
            costs.append(max(0.0, spent + float((f * (f - 2 * brought)).sum(1).mean()) / scale))
            if costs[-1] >= costs[-2] * (1 - 1e-6):
                break
        return brought, {"cost": costs[-1], "rounds": len(costs) - 1, "plans": len(pieces)}

    def _pieces(self, domains: Domains) -> list[tuple[Array, Array, Array]]:
        """Of each plan the source rows, the target rows, and the mass of the source rows."""
        n, m = len(domains.source), len(domains.target)
        a = np.ones(n) if domains.weights is None else domains.weights
        if self.batch is None:
            return [(np.arange(n), np.arange(m), a / a.sum())]
        heavy, draw = np.flatnonzero(a), np.random.default_rng(self.seed)
        cut = batched(m, len(heavy), self.batch, draw)
        return [(heavy[i], j, a[heavy[i]] / a[heavy[i]].sum()) for j, i in cut]


def _coded(domains: Domains) -> tuple[Array, float]:
    """Answers as rows (n, C) or (n, k), and what their squared distances are counted in."""
    if domains.classes:
        return np.eye(domains.classes)[domains.targets.astype(int)], 1.0
    y = domains.targets.reshape(len(domains.targets), -1)
    return y, float(y.var(axis=0).sum()) or 1.0
