"""JDOT (Courty, Flamary, Habrard and Rakotomamonjy, 2017): features and answers are transported together.

    C_ij = alpha |x_i - z_j|^2 / max + |y_i - f(z_j)|^2 / scale     (classes as one-hot rows, scale 1; else variance)
    P = the exact plan of C,   f = argmin sum_ij P_ij |y_i - f(z_j)|^2 + penalty |f|_k^2,     in turns, from f = none
    learnt from, in regression: target rows z_j with the answer m sum_i P_ij y_i
    with classes: target rows z_j, once for every class c, weighing the sum of P_ij over source rows i of class c

Use it where each class has moved its own way. Not where the classes' shares, or the values of a regression, differ
between tasks: the target's answers are the source's, each as often. f is a kernel ridge on at most 500 rows; C is
n x m: about 56 n m bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve
from scipy.spatial.distance import cdist

from headstart.align.aligned import Aligned, Domains, unmoved
from headstart.align.checks import above, affordable, left_alone, rows_of_both, same, whole
from headstart.align.gaussian import apart
from headstart.align.kernels import kernel, landmarks, width
from headstart.align.plans import exact
from headstart.data.task import Array

__all__ = ["JDOT"]

MOST = 500


@dataclass(frozen=True, kw_only=True)
class JDOT:
    """Give target rows the answers of the source rows that features and answers bring them.

    alpha     what the way between features costs, beside the way between answers
    penalty   of f's squared norm, beside its mean squared error
    rounds    turns of plan and f, at most
    limit     GB above which it refuses
    """

    alpha: float = 1.0
    penalty: float = 1e-2
    rounds: int = 10
    limit: float = 2.0

    def __post_init__(self) -> None:
        above("alpha", self.alpha, 0, "1")
        above("penalty", self.penalty, 0, "0.01")
        above("limit", self.limit, 0, "2")
        whole("rounds", self.rounds, 1, "10")

    def memory(self, n: int, m: int) -> int:
        """Bytes that a call takes beyond the data, for n source and m target rows."""
        return 56 * n * m + 16 * MOST * m

    def __call__(self, domains: Domains) -> Aligned:
        """Target rows with the source's answers. Raises ValueError: too little memory."""
        rows_of_both(domains, 1, "to be moved to")
        n, m = len(domains.source), len(domains.target)
        affordable(self.memory(n, m), self.limit, f"a plan between {n} and {m} rows", "take Transport(batch=1000)")
        if same(domains):
            return left_alone(domains)
        y, scale = _coded(domains)
        plan, facts = self._turns(domains, y, scale)
        brought = m * plan.T @ y
        if not domains.classes:
            return Aligned(domains.target, brought[:, 0], None, unmoved, facts, n + np.arange(m))
        rows, answers = np.nonzero(brought > 1e-9)
        weights = brought[rows, answers]
        return Aligned(domains.target[rows], answers, weights / weights.mean(), unmoved, facts, n + rows)

    def _turns(self, domains: Domains, y: Array, scale: float) -> tuple[Array, dict[str, object]]:
        a = np.ones(len(y)) if domains.weights is None else domains.weights
        a, b = a / a.sum(), np.full(len(domains.target), 1 / len(domains.target))
        fit = self._ridge(domains)
        ways = apart(domains.source, domains.target)
        ways *= self.alpha / (ways.max() or 1.0)
        cost, costs = ways, [np.inf]
        for _ in range(self.rounds):
            plan = exact(cost, a, b)
            f = fit(len(b) * plan.T @ y)
            cost = ways + cdist(y, f, "sqeuclidean") / scale
            costs.append(float(np.vdot(plan, cost)))
            if costs[-1] >= costs[-2] * (1 - 1e-6):
                break
        return plan, {"cost": costs[-1], "rounds": len(costs) - 1}

    def _ridge(self, domains: Domains) -> Callable[[Array], Array]:
        """Answers of target rows (m, C) -> f at target rows (m, C)."""
        z = landmarks(domains.source, domains.target, MOST, 0)
        gamma = width(z)
        phi, inner = kernel("rbf", domains.target, z, gamma), kernel("rbf", z, z, gamma)
        normal = phi.T @ phi / len(phi) + self.penalty * inner + 1e-9 * np.eye(len(z))

        def fit(answers: Array) -> Array:
            mean = answers.mean(0)
            return np.asarray(mean + phi @ solve(normal, phi.T @ (answers - mean) / len(phi), assume_a="pos"))

        return fit


def _coded(domains: Domains) -> tuple[Array, float]:
    """Answers as rows (n, C) or (n, 1), and what their squared distances are counted in."""
    if domains.classes:
        return np.eye(domains.classes)[domains.targets.astype(int)], 1.0
    return domains.targets[:, None], float(domains.targets.var()) or 1.0
