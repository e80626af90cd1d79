"""Linear transport (Flamary, Lounici and Ferrari, 2019): the cheapest map of one Gaussian onto another.

    C_s = cov(X_s) + penalty I,   C_t = cov(X_t) + penalty I      (over n, as for maximum likelihood)
    A = C_s^-1/2 (C_s^1/2 C_t C_s^1/2)^1/2 C_s^-1/2               (symmetric: it stretches and never turns)
    x  ->  (x - mean_s) A + mean_t                                for source rows; target rows stay
    distance^2 = |mean_s - mean_t|^2 + tr(C_s + C_t - 2 (C_s^1/2 C_t C_s^1/2)^1/2)       (Bures-Wasserstein)

Use it as CORAL; of all maps that match both moments it moves the rows least. Not where the classes' shares differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.adaptation.alignment.checks import left_alone, rows_of_both, same
from headstart.adaptation.alignment.step import Aligned, Domains, unmoved
from headstart.checks import above
from headstart.linalg.moments import affine, moments, power

__all__ = ["LinearTransport"]


@dataclass(frozen=True, kw_only=True)
class LinearTransport:
    """Move the source by the optimal map between two Gaussians.

    penalty   added to every variance, in the features' units squared; 0 for features of full rank only
    """

    penalty: float = 1e-6

    def __post_init__(self) -> None:
        above("penalty", self.penalty, 0, "1e-6", equal=True)

    def __call__(self, domains: Domains) -> Aligned:
        """Source rows (n, d) moved. Raises ValueError: one row, singular covariance without penalty."""
        rows_of_both(domains, 2, "to see how features vary")
        if same(domains):
            return left_alone(domains)
        source, target = moments(domains.source, domains.weights, biased=True), moments(domains.target, biased=True)
        ridge = self.penalty * np.eye(len(source.mean))
        c_s, c_t = source.covariance + ridge, target.covariance + ridge
        inverse, root = power(c_s, -0.5, "source's"), power(c_s, 0.5, "source's")
        middle = power(root @ c_t @ root, 0.5, "target's")
        moved = affine(domains.source, source.mean, inverse @ middle @ inverse, target.mean)
        apart = np.sum((source.mean - target.mean) ** 2) + np.trace(c_s + c_t - 2 * middle)
        facts: dict[str, object] = {"distance": float(np.sqrt(max(apart, 0.0)))}
        return Aligned(moved, domains.targets, domains.weights, unmoved, facts)
