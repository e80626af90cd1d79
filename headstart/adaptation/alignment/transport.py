"""Optimal transport of the source (Courty, Flamary, Tuia and Rakotomamonjy, 2017).

    M_ij = |x_i - z_j|^2,   P = the plan of `plans.py` between source rows x and target rows z
    x_i  ->  sum_j P_ij z_j / sum_j P_ij                                  (barycentric); target rows stay
    in batches (Fatras et al., 2020): the mean of that over plans between random batches of either task

Use it where each class has moved its own way. Not where the classes' shares differ: mass must go somewhere, and goes
to another class. M is n x m: up to 96 n m bytes, or 96 batch^2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from headstart.adaptation.alignment.batched import batched
from headstart.adaptation.alignment.checks import left_alone, rows_of_both, same
from headstart.adaptation.alignment.plans import affordable_plan, by_class, entropic, exact, mapped, refuse_misplaced
from headstart.adaptation.alignment.step import Aligned, Domains, unmoved
from headstart.checks import above, one_of, whole
from headstart.linalg.distances import apart
from headstart.tasks.task import Array

__all__ = ["Plan", "Transport"]

Plan = Literal["emd", "sinkhorn", "class"]
Unit = Literal["median", "none"]


@dataclass(frozen=True, kw_only=True)
class Transport:
    """Move every source row to the target rows that its mass goes to.

    plan     "emd": exact; "sinkhorn": entropic, smoother and quicker; "class": with a cost on mixing classes
    reg      weight of the entropy, in `unit`, for "sinkhorn" and "class"
    group    weight of mixing classes, in `unit`, for "class"
    unit     "median": of the median cost, whatever the scale of the features; "none": squared units of the features
    batch    rows of either task in a plan; None: all in one
    rounds   plans that each source row is in, where `batch` is given
    limit    GB above which it refuses
    seed     of the draw of batches
    """

    plan: Plan = "sinkhorn"
    reg: float = 0.05
    group: float = 0.1
    unit: Unit = "median"
    batch: int | None = None
    rounds: int = 10
    limit: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("plan", self.plan, get_args(Plan))
        one_of("unit", self.unit, get_args(Unit))
        above("reg", self.reg, 0, "0.05")
        above("group", self.group, 0, "0.1", equal=True)
        above("limit", self.limit, 0, "2")
        whole("rounds", self.rounds, 1, "10")
        if self.batch is not None:
            whole("batch", self.batch, 2, "1000, or None for one plan")

    def memory(self, n: int, m: int) -> int:
        """Bytes that a call takes beyond the data, for n source and m target rows."""
        cell = 48 if self.plan == "emd" else 96
        return cell * min(n, self.batch or n) * min(m, self.batch or m)

    def __call__(self, domains: Domains) -> Aligned:
        """Source rows (n, d) moved. Raises ValueError: too little memory, "class" in regression."""
        rows_of_both(domains, 1, "to be moved to")
        if self.plan == "class" and not domains.classes:
            raise ValueError("plan='class' needs classes, but this is regression: expected plan='sinkhorn' or 'emd'")
        n, m = len(domains.source), len(domains.target)
        affordable_plan(self.memory(n, m), self.limit, n, m)
        if same(domains):
            return left_alone(domains)
        moved, costs = np.zeros(domains.source.shape), []
        for i, j in self._batches(n, m):
            rows, cost = self._one(domains, i, j)
            moved[i] += rows
            costs.append(cost)
        moved /= self.rounds if self.batch else 1
        facts: dict[str, object] = {"cost": float(np.mean(costs)), "plans": len(costs)}
        return Aligned(moved, domains.targets, domains.weights, unmoved, facts)

    def _batches(self, n: int, m: int) -> Iterator[tuple[Array, Array]]:
        """Source rows and target rows of each plan."""
        if self.batch is None:
            yield np.arange(n), np.arange(m)
            return
        draw = np.random.default_rng(self.seed)
        for _ in range(self.rounds):
            yield from batched(n, m, self.batch, draw)

    def _one(self, domains: Domains, i: Array, j: Array) -> tuple[Array, float]:
        """Where the source rows i go, and <P, M>."""
        source, target = domains.source[i], domains.target[j]
        a = np.ones(len(i)) if domains.weights is None else domains.weights[i]
        if not a.any():
            return source, 0.0
        a, b = a / a.sum(), np.full(len(j), 1 / len(j))
        cost = apart(source, target)
        unit = (np.median(cost) or 1.0) if self.unit == "median" else 1.0
        if self.plan == "emd":
            plan = exact(cost, a, b)
        elif self.plan == "sinkhorn":
            plan = entropic(cost, a, b, self.reg * unit)
        else:
            plan = by_class(cost, a, b, domains.targets[i], (self.reg * unit, self.group * unit))
        refuse_misplaced(plan, a, b, self.reg)
        return mapped(plan, source, target), float(np.vdot(plan, cost))
