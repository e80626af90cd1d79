"""Nearest-neighbour weights (Loog, 2012): how many target rows fall into the Voronoi cell of a source row.

    w(x_i) = prior + sum_j 1[x_i among the k source rows nearest to z_j] / k

Use it under covariate shift where a width would be a guess: it has none. Not with many features, where cells are
ragged. With up to 15 features a tree finds the neighbours; beyond that it takes time n m d, though no n x m matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import NearestNeighbors

from headstart.adaptation.alignment.checks import same_rows
from headstart.adaptation.alignment.step import Aligned, Domains
from headstart.adaptation.reweighting.weights import level, weighed
from headstart.checks import between, whole
from headstart.linalg.moments import blocks

__all__ = ["NearestNeighbourWeights"]


@dataclass(frozen=True, kw_only=True)
class NearestNeighbourWeights:
    """Weights by the count of target rows that are nearest to a source row.

    k       neighbours among which each target row is shared out
    prior   added to each count (Laplace), so that no row is lost; 0: plain counts
    Raises ValueError for bad options, and where the source has fewer than k rows
    """

    k: int = 1
    prior: float = 1.0

    def __call__(self, domains: Domains) -> Aligned:
        n = len(domains.source)
        whole("k", self.k, 1)
        between("prior", self.prior, 0.0, float(np.finfo(float).max))
        if self.k > n:
            raise ValueError(f"k is {self.k} and the source has {n} row(s): use k={n} or less")
        if same_rows(domains):
            return level(domains)
        nearest = NearestNeighbors(n_neighbors=self.k).fit(domains.source)
        counts = np.zeros(n)
        for some in blocks(len(domains.target)):
            neighbours = nearest.kneighbors(domains.target[some], return_distance=False)
            counts += np.bincount(neighbours.ravel(), minlength=n)
        facts = {"k": self.k, "empty": float((counts == 0).mean()), "clipped": False}
        return weighed(domains, counts / self.k + self.prior, facts)
