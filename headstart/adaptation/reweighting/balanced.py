"""Balanced weights: both tasks at once, each with a set share of the say (Wu and Dietterich, 2004).

    min over h   (1 - gamma) mean of L(h(X_s), y_s) + gamma mean of L(h(X_t), y_t)
    weights      source w = (1 - gamma) / n,    labelled target w = gamma / m,    both times n + m (mean 1)

gamma = 0 is the source alone, 1 the labelled target rows alone, 1/2 both alike, however few the target rows are.
Use it first wherever some target rows are labelled: it is the plainest step that uses them, with any estimator that
takes weights. Not where the two tasks answer oppositely: then it learns the mean of both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.adaptation.alignment.checks import labelled
from headstart.adaptation.alignment.step import Aligned, Domains, unmoved
from headstart.adaptation.reweighting.weights import effective

__all__ = ["BalancedWeights"]


@dataclass(frozen=True, kw_only=True)
class BalancedWeights:
    """Source and labelled target rows together, weighed.

    gamma   share of the labelled target rows, from 0 to 1

    `Adapted(BalancedWeights(), target_labels=True)`. Raises ValueError without a labelled target row.
    """

    gamma: float = 0.5

    def __call__(self, domains: Domains) -> Aligned:
        gamma = self.gamma
        if not 0 <= gamma <= 1:
            raise ValueError(f"gamma is {gamma!r}: expected 0 (the source alone) to 1 (the labelled target rows alone)")
        answered, y_t = labelled(domains)
        X_t = domains.target[answered]
        n, m = len(domains.source), len(X_t)
        inner = np.ones(n) if domains.weights is None else domains.weights / domains.weights.mean()
        weights = np.append((1 - gamma) / n * inner, np.full(m, gamma / m)) * (n + m)
        rows, answers = np.vstack([domains.source, X_t]), np.concatenate([domains.targets, y_t])
        facts: dict[str, object] = {"labelled": m, "effective": effective(weights)}
        of = np.append(np.arange(n), n + np.flatnonzero(answered))
        return Aligned(rows, answers, weights, unmoved, facts, of, of_target=True)
