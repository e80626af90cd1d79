"""A head with a radial kernel, by Nystroem's approximation (Williams and Seeger, 2001).

    k(x, l) = exp(-gamma |x - l|^2)        phi(x) = k(x, L) K_LL^(-1/2)        logits = phi(x) W + b

on standardised features. W is that of ridge or logistic regression on phi, whose penalty |W|^2 is then the norm of the
kernel's space; with all rows as landmarks L this is exact. gamma is counted in 1 / the median squared distance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar

import numpy as np

from headstart.heads.basis import principal
from headstart.heads.facts import FitterFacts
from headstart.heads.fitter import Posed, Proposal
from headstart.heads.head import Head
from headstart.heads.layers import radial
from headstart.heads.logistic import Logistic
from headstart.heads.problem import Problem
from headstart.heads.ridge import Ridge
from headstart.heads.standardize import BLOCK, Standard, standard
from headstart.linalg.distances import expanded, unit_gamma
from headstart.linalg.moments import blocks
from headstart.linalg.nystroem import inverse_root
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.task import Array, Kind

__all__ = ["Kernel"]

_FLAT = 1e-7


@dataclass(frozen=True, kw_only=True)
class Kernel(Posed):
    """widths      candidates for gamma; ridge says which
    landmarks   at most, drawn from the rows
    """

    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, MULTILABEL, REGRESSION)
    widths: tuple[float, ...] = (0.25, 1.0, 4.0)
    landmarks: int = 300

    def propose(self, problem: Problem) -> Proposal:
        """The head at the best width; its account tells the loss at each."""
        return self._proposal(problem, *self._screened(problem))

    def propose_against(self, problem: Problem, rival: Array) -> Proposal | None:
        """The same, or None where ridge at the best width answers no better than out-of-fold logits (N, C) of a rival,
        which are those of ridge on the features."""
        spaces, ridges, losses = self._screened(problem)
        if min(losses) >= problem.score(rival).loss:
            return None
        return self._proposal(problem, spaces, ridges, losses)

    def _screened(self, problem: Problem) -> tuple[list[_Space], list[Proposal], list[float]]:
        """For each width the space, ridge in it, and its loss."""
        std = standard(problem.features, problem.order, problem.weights, problem.scale)
        marks = self._landmarks(problem, std)
        unit = _unit(marks)
        spaces = [_Space(problem, std, marks, width * unit) for width in self.widths]
        ridges = [Ridge().propose(space.problem) for space in spaces]
        return spaces, ridges, [problem.score(ridge.out_of_fold).loss for ridge in ridges]

    def _proposal(
        self, problem: Problem, spaces: list[_Space], ridges: list[Proposal], losses: list[float]
    ) -> Proposal:
        best = int(np.argmin(losses))
        space, proposal = spaces[best], ridges[best]
        if problem.kind in Logistic.kinds:
            other = Logistic().propose(space.problem)
            proposal = other if problem.score(other.out_of_fold).loss < losses[best] else proposal
        tried = {f"{width:.3g}": loss for width, loss in zip(self.widths, losses, strict=True)}
        return Proposal(
            proposal.out_of_fold, lambda: space.head(proposal.finish, {"gamma": space.gamma, "losses": tried})
        )

    def _landmarks(self, problem: Problem, std: Standard) -> Array:
        """(L, D) float32, some of the rows, standardised; the same in whatever order rows are given."""
        rows = problem.order
        if len(rows) > self.landmarks:
            drawn = np.random.default_rng(problem.seed).permutation(len(rows))[: self.landmarks]
            rows = rows[np.sort(drawn)]
        return std.apply(problem.features[rows]).astype(np.float32)


class _Space:
    """phi for one gamma, and the problem posed in it."""

    def __init__(self, problem: Problem, std: Standard, landmarks: Array, gamma: float) -> None:
        self.std, self.landmarks, self.gamma = std, landmarks, gamma
        self.root = inverse_root(radial(landmarks, landmarks, gamma), _FLAT)
        phi = np.empty((len(problem.features), self.root.shape[1]))
        for rows in blocks(len(phi), BLOCK):
            phi[rows] = radial(std.apply(problem.features[rows]), landmarks, gamma) @ self.root
        order, weights = problem.order, problem.weights
        axes_of = cache(lambda: principal(phi, order, weights, "same"))
        self.problem = replace(problem, features=phi, scale="same", axes=axes_of)

    def head(self, finish: Callable[[], Head], account: dict[str, Any]) -> Head:
        """The head on phi, as one on features."""
        inner = finish()
        W = inner.arrays["weight.0"].astype(np.float64) / inner.arrays["scale"][:, None]
        arrays = {
            "mean": self.std.mean,
            "scale": self.std.scale,
            "landmarks": self.landmarks,
            "gamma": np.array([self.gamma]),
            "weight.0": self.root @ W,
            "bias.0": inner.arrays["bias.0"] - inner.arrays["mean"] @ W,
        }
        facts = FitterFacts(account={**inner.facts.account, **account, "by": inner.name})
        return Head(name="kernel", kind=inner.kind, arrays=arrays, facts=facts)


def _unit(landmarks: Array) -> float:
    """1 / the median squared distance of landmarks that differ; 1 where all are the same."""
    some = np.asarray(landmarks[:BLOCK], np.float64)
    return unit_gamma(expanded(some, some)[np.triu_indices(len(some), 1)])
