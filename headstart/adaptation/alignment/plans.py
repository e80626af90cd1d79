"""Plans of transport: how much of each source row goes to each target row, at least cost.

    exact      min <P, M>                                                           over P 1 = a, P' 1 = b, P >= 0
    entropic   min <P, M> + reg sum P log P                                         (Cuturi, 2013)
    by class   min <P, M> + reg sum P log P + group sum_jc (sum of P_ij over rows i of class c)^1/2
               (Courty, Flamary and Tuia, 2014): a target row is to get its mass from one class. By linearising the
               root around the last plan, ten times.

Solved by POT (Flamary et al., 2021).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from headstart.checks import affordable
from headstart.tasks.task import Array

__all__ = ["affordable_plan", "by_class", "entropic", "exact", "mapped", "refuse_misplaced"]

STEEP = 300.0
COOLING = 4.0
MISPLACED = 0.05
NEAR = 1e-3


def affordable_plan(needed: float, limit: float, n: int, m: int) -> None:
    """ValueError where a plan between n source and m target rows would take more than `limit` GB; needed in bytes."""
    affordable(needed, limit, f"a plan between {n} and {m} rows", "take mini-batches: set batch=1000")


def exact(cost: Array, a: Array, b: Array) -> Array:
    """P (n, m) from cost (n, m) and masses a (n,), b (m,) that sum to 1. Sparse: at most n + m - 1 are not 0."""
    plan = _pot().emd(a, b, cost, numItermax=1_000_000)
    return np.asarray(plan)


def entropic(cost: Array, a: Array, b: Array, reg: float, steps: int = 1000) -> Array:
    """P (n, m), all positive, after at most `steps` steps: at a small reg it may not keep to a and b yet."""
    if cost.max() > STEEP * reg:
        return _cold(cost, a, b, reg, steps)
    return np.asarray(_pot().sinkhorn(a, b, cost, reg, numItermax=steps, stopThr=1e-9, warn=False))


def _cold(cost: Array, a: Array, b: Array, reg: float, steps: int) -> Array:
    """In logarithms, for exp(-cost / reg) would not hold in float64, and from one solution to the next colder one."""
    massive = a > 0
    levels = [reg]
    while cost.max() > STEEP * levels[-1]:
        levels.append(levels[-1] * COOLING)
    start, plan = None, np.zeros(cost.shape)
    for level in reversed(levels):
        options = {"method": "sinkhorn_log", "numItermax": steps, "stopThr": 1e-9, "warn": False, "warmstart": start}
        with np.errstate(over="ignore"):  # POT also takes exp of the logarithms, which is not used here
            plan[massive], log = _pot().sinkhorn(a[massive], b, cost[massive], level, log=True, **options)
        start = log["log_u"] * COOLING, log["log_v"] * COOLING
    return plan


def by_class(cost: Array, a: Array, b: Array, codes: Array, reg_group: tuple[float, float]) -> Array:
    """P (n, m) for source rows of classes `codes` (n,); `reg_group` are the weights of entropy and of the groups."""
    reg, group = reg_group
    classes, place = np.unique(codes, return_inverse=True)
    member = (place == np.arange(len(classes))[:, None]).astype(np.float64)
    slope = np.zeros((len(classes), len(b)))
    for _ in range(10):
        plan = entropic(cost + group * slope[place], a, b, reg, steps=200)
        slope = 0.5 / np.sqrt(member @ plan + NEAR)
    return plan


def mapped(plan: Array, rows: Array, target: Array) -> Array:
    """Each source row at the mean of where its mass goes; a row without mass stays. (n, d)."""
    mass = plan.sum(1, keepdims=True)
    return np.where(mass > 0, plan @ target / np.where(mass > 0, mass, 1.0), rows)


def refuse_misplaced(plan: Array, a: Array, b: Array, reg: float) -> None:
    """ValueError where a plan is far from the masses a and b: its steps have ended too early."""
    misplaced = np.abs(plan.sum(0) - b).sum() + np.abs(plan.sum(1) - a).sum()
    if misplaced > MISPLACED:
        raise ValueError(
            f"reg={reg!r} is too small for this cost: after all steps {misplaced:.0%} of the mass is in the wrong "
            f"place: expected a larger one, such as reg={4 * reg:g}, or plan='emd'"
        )


def _pot() -> Any:
    try:
        return import_module("ot")
    except ImportError as error:
        raise ImportError("transport plans need POT: pip install 'headstart[transport]'") from error
