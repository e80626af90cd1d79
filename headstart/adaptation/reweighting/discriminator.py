"""Weights by telling the tasks apart (Bickel, Brueckner and Scheffer, 2009).

    w(x) = q(x) / p(x) = n/m  P(target | x) / P(source | x)       logistic regression, source against target

A row is weighed by a model that did not see it. Use it under covariate shift with many features or many rows, where
kernels fail. Not where the tasks are told apart without error: the weights then rest on a handful of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.adaptation.alignment.checks import same_rows
from headstart.adaptation.alignment.step import Aligned, Domains
from headstart.adaptation.reweighting.cross_fit import cross_fit
from headstart.adaptation.reweighting.weights import level, rows_needed, weighed
from headstart.checks import above, between, whole

__all__ = ["DiscriminatorWeights"]

HIGHEST = 500.0


@dataclass(frozen=True, kw_only=True)
class DiscriminatorWeights:
    """Weights by the odds of a logistic regression between the tasks, cross-fitted.

    C       inverse strength of the penalty on standardised features, as in scikit-learn
    clip    largest density ratio; None: none
    folds   models, each without the rows that it weighs
    Takes about 48 (n + m) bytes and a few blocks of rows beyond the data. Raises ValueError for bad options, and where
    a task has one row
    """

    C: float = 1.0
    clip: float | None = 20.0
    folds: int = 5
    seed: int = 0

    def __call__(self, domains: Domains) -> Aligned:
        above("C", self.C, 0, "1")
        between("clip", 1.0 if self.clip is None else self.clip, float(np.finfo(float).tiny))
        whole("folds", self.folds, 2)
        rows_needed(domains, 2, 2, "for no row is weighed by a model that saw it")
        if same_rows(domains):
            return level(domains)
        n, m = len(domains.source), len(domains.target)
        codes = np.repeat([0, 1], [n, m])
        fit = cross_fit((domains.source, domains.target), codes, C=self.C / 2, folds=self.folds, seed=self.seed)
        source, target = fit.unseen(domains.source) @ (-1, 1), fit.unseen(domains.target, n) @ (-1, 1)
        ratio = n / m * np.exp(np.minimum(source, HIGHEST))
        most = np.inf if self.clip is None else self.clip
        facts = {
            "told_apart": float(((source < 0).mean() + (target > 0).mean()) / 2),
            "clipped": bool((ratio > most).any()),
            "share_clipped": float((ratio > most).mean()),
        }
        return weighed(domains, np.minimum(ratio, most), facts)
