"""CORAL (Sun, Feng and Saenko, 2016): the source's covariance becomes the target's.

    C_s = cov(X_s) + penalty I,   C_t = cov(X_t) + penalty I
    x  ->  (x - mean_s) C_s^-1/2 C_t^1/2 + mean_t                                   for source rows; target rows stay

Use it where columns have been scaled, mixed or shifted alike for all classes; it costs next to nothing. Not where the
classes' shares differ: then the means and covariances should differ, and making them equal mixes the classes up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.adaptation.alignment.checks import left_alone, rows_of_both, same
from headstart.adaptation.alignment.step import Aligned, Domains, unmoved
from headstart.checks import above
from headstart.linalg.moments import affine, moments, power

__all__ = ["Coral"]


@dataclass(frozen=True, kw_only=True)
class Coral:
    """Whiten the source, colour it as the target.

    penalty   added to every variance, in the features' units squared; 0 for features of full rank only
    center    whether the source's mean moves onto the target's. False is the paper's formula x C_s^-1/2 C_t^1/2, for
              features that are centred already
    """

    penalty: float = 1e-5
    center: bool = True

    def __post_init__(self) -> None:
        above("penalty", self.penalty, 0, "1e-5", equal=True)

    def __call__(self, domains: Domains) -> Aligned:
        """Source rows (n, d) moved. Raises ValueError: one row, singular covariance without penalty."""
        rows_of_both(domains, 2, "to see how features vary")
        if same(domains):
            return left_alone(domains)
        source, target = moments(domains.source, domains.weights), moments(domains.target)
        ridge = self.penalty * np.eye(len(source.mean))
        c_s, c_t = source.covariance + ridge, target.covariance + ridge
        matrix = power(c_s, -0.5, "source's") @ power(c_t, 0.5, "target's")
        mean_s, mean_t = (source.mean, target.mean) if self.center else (np.zeros_like(source.mean),) * 2
        moved = affine(domains.source, mean_s, matrix, mean_t)
        facts: dict[str, object] = {
            "mean_distance": float(np.linalg.norm(source.mean - target.mean)),
            "covariance_distance": float(np.linalg.norm(source.covariance - target.covariance)),
        }
        return Aligned(moved, domains.targets, domains.weights, unmoved, facts)
