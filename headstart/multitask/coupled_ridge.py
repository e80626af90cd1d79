"""Multi-task feature learning (Argyriou, Evgeniou and Pontil, 2008): ridge regressions that share a low-rank metric.

    min_{W, b, D}  sum_t 1/n_t sum_{i in t} (y_ti - b_t - w_t . x_i)^2 + gamma tr(W' D^-1 W) + gamma epsilon tr(D^-1)
                   with  D > 0,  tr D <= 1                                                       (equations 4 and 20)

Every task has rows of its own, so that answers may be missing. The problem is convex in (W, D); both steps are exact:

    W   (R'R + gamma D^-1) w = R' y        each task by itself, R its centred rows over sqrt(n)
    D   (W W' + epsilon I)^1/2 / tr (W W' + epsilon I)^1/2                                          (equation 24)

and after a D step the penalty is gamma (tr (W W' + epsilon I)^1/2)^2: for epsilon -> 0 the squared trace norm of W, few
features for all tasks. A large epsilon makes D = I / K: each task alone, by one strength. As D is delta I and a matrix
of the rank of W, the W step takes the singular values of R, computed once, and a system of the size of that rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import svd

from headstart.tasks.task import Array

__all__ = ["Coupled", "Equations", "Metric", "couple", "equations", "even", "metric_of", "solve"]


class Equations(NamedTuple):
    """One task: R = P S Q' with Z = S Q' (k, K), and y = P' of its centred answers (k, c), both over sqrt(n).

    x, mean   of its rows (K,) and of its answers (c,)
    rest      what is left of the answers' squares outside the span of the rows
    """

    Z: Array
    squares: Array
    y: Array
    x: Array
    mean: Array
    rest: float


class Metric(NamedTuple):
    """D = delta I + U diag(above) U', U (K, r) with orthonormal columns; trace = tr (W W' + epsilon I)^1/2."""

    U: Array
    above: Array
    delta: float
    trace: float

    def times(self, matrix: Array) -> Array:
        """D @ matrix."""
        return np.asarray(self.delta * matrix + self.U @ (self.above[:, None] * (self.U.T @ matrix)))


class Coupled(NamedTuple):
    """W (K, c) of each task, D, and the objective after each pair of steps."""

    weights: list[Array]
    metric: Metric
    objective: list[float]

    def answers(self, tasks: Sequence[Equations], rows: Array) -> list[Array]:
        """(N, K) rows -> of each task (N, c)."""
        return [task.mean + (rows - task.x) @ W for task, W in zip(tasks, self.weights, strict=True)]


def equations(rows: Array, answers: Array, weights: Array | None = None) -> Equations:
    """Of one task: its rows (n, K), answers (n, c) and how much each row counts (n,)."""
    share = np.full(len(rows), 1 / len(rows)) if weights is None else weights / weights.sum()
    x, mean, root = share @ rows, share @ answers, np.sqrt(share)[:, None]
    P, S, Qt = svd(root * (rows - x), full_matrices=False, check_finite=False)
    spanned = max(rows.shape) * np.finfo(np.float64).eps * S.max(initial=0.0) < S
    P, S, Qt = P[:, spanned], S[spanned], Qt[spanned]
    centred = root * (answers - mean)
    y = P.T @ centred
    return Equations(S[:, None] * Qt, S**2, y, x, mean, float(np.square(centred).sum() - np.square(y).sum()))


def even(width: int) -> Metric:
    """D = I / K, with which no task knows of another."""
    return Metric(np.zeros((width, 0)), np.zeros(0), 1 / width, 0.0)


def metric_of(W: Array, epsilon: float) -> Metric:
    """The D step: (W W' + epsilon I)^1/2 over its trace, of W (K, C)."""
    width = len(W)
    U, sigma, _ = svd(W, full_matrices=False, check_finite=False)
    roots, floor = np.sqrt(sigma**2 + epsilon), np.sqrt(epsilon)
    trace = float(roots.sum() + (width - len(sigma)) * floor)
    return Metric(U, (roots - floor) / trace, float(floor / trace), trace)


def solve(task: Equations, metric: Metric, gamma: float) -> Array:
    """The W step of one task, (K, c): w = D Z' a,  (Z D Z' + gamma I) a = y."""
    B = metric.delta * task.squares + gamma
    V = task.Z @ (metric.U * np.sqrt(metric.above))
    plain, through = task.y / B[:, None], V / B[:, None]
    a = plain - through @ np.linalg.solve(np.eye(V.shape[1]) + V.T @ through, V.T @ plain)
    return metric.times(task.Z.T @ a)


def couple(
    tasks: Sequence[Equations],
    gamma: float,
    epsilon: float,
    *,
    start: Metric | None = None,
    close: float = 1e-6,
    most: int = 200,
) -> Coupled:
    """Both steps in turn, from D = I / K or another, until the objective falls by less than a share `close`."""
    metric, objective = even(tasks[0].Z.shape[1]) if start is None else start, [np.inf]
    weights: list[Array] = []
    for _ in range(most):
        weights = [solve(task, metric, gamma) for task in tasks]
        metric = metric_of(np.hstack(weights), epsilon)
        loss = sum(_squared(task, W) for task, W in zip(tasks, weights, strict=True))
        objective.append(loss + gamma * metric.trace**2)
        if objective[-2] - objective[-1] <= close * objective[-1]:
            break
    return Coupled(weights, metric, objective[1:])


def _squared(task: Equations, W: Array) -> float:
    """1/n sum_i |y_i - b - W' x_i|^2."""
    return float(np.square(task.y - task.Z @ W).sum() + task.rest)
