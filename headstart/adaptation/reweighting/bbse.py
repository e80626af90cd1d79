"""Black-box shift estimation (Lipton, Wang and Smola, 2018): shares of classes in a target without labels.

    w(x_i) = q(y_i) / p(y_i),   q = K^-1 mu
    K_ab = P(f(x) = a | y = b) in the source,   mu_a = P(f(x) = a) in the target

f is a cross-fitted logistic regression: each model's K comes from rows that it did not see. Use it where the shares of
classes differ and P(x | y) does not (label shift). Not where the features of a class moved too: mu then tells of that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from headstart.adaptation.alignment.checks import same_rows
from headstart.adaptation.alignment.step import Aligned, Domains
from headstart.adaptation.reweighting.class_shares import (
    Shares,
    by_share,
    check_classes,
    check_fitting,
    interval,
    source_shares,
)
from headstart.adaptation.reweighting.confusable import SINGULAR, notes
from headstart.adaptation.reweighting.cross_fit import cross_fit
from headstart.adaptation.reweighting.weights import level
from headstart.tasks.task import Array

__all__ = ["BBSE", "label_shares"]


@dataclass(frozen=True, kw_only=True)
class BBSE:
    """Weights by the estimated share of each class.

    soft    f(x) as probabilities; False: as the class of the greatest
    C       inverse strength of the classifier's penalty on standardised features
    folds   models, each with the rows that it did not see
    draws   of the bootstrap, for the interval
    Raises ValueError for bad options, a regression, and a class with fewer than two source rows
    """

    soft: bool = True
    C: float = 1.0
    folds: int = 5
    draws: int = 200
    seed: int = 0

    def __call__(self, domains: Domains) -> Aligned:
        check_fitting(self.C, self.folds, self.draws)
        check_classes(domains)
        if same_rows(domains):
            return level(domains)
        shares = label_shares(domains, self)
        clipped = any("below 0" in note for note in shares.notes)
        return by_share(domains, shares, {"soft": self.soft, "clipped": clipped})


def label_shares(domains: Domains, how: BBSE | None = None) -> Shares:
    """The target's share of each class by `BBSE`, with intervals. Raises ValueError as `BBSE` does."""
    how = BBSE() if how is None else how
    check_fitting(how.C, how.folds, how.draws)
    check_classes(domains)
    codes = domains.targets.astype(int)
    source, target = _answers(domains, codes, how)
    parts = [source[codes == code] for code in range(domains.classes)]
    K, mu = np.stack([part.mean(axis=0) for part in parts], axis=1), target.mean(axis=0)
    q, below = _solve(K, mu)
    remarks = notes(K, below)
    if np.linalg.cond(K) > SINGULAR:
        return Shares(source_shares(domains), q, np.zeros_like(q), np.ones_like(q), remarks)
    draw = np.random.default_rng(how.seed)
    again = [
        _solve(np.stack([_mean(part, draw) for part in parts], axis=1), _mean(target, draw))[0]
        for _ in range(how.draws)
    ]
    return Shares(source_shares(domains), q, *interval(np.array(again), q), remarks)


def _answers(domains: Domains, codes: Array, how: BBSE) -> tuple[Array, Array]:
    """(n, C) and (m, C) what f says of each row; of a target row, the mean of all models."""
    fit = cross_fit((domains.source,), codes, C=how.C, folds=how.folds, seed=how.seed)

    def said(logits: Array) -> Array:
        return softmax(logits, axis=1) if how.soft else np.eye(domains.classes)[logits.argmax(axis=1)]

    target = np.zeros((len(domains.target), domains.classes))
    for model in range(len(fit.b)):
        target += said(domains.target @ fit.W[model] + fit.b[model])
    return said(fit.unseen(domains.source)), target / len(fit.b)


def _mean(rows: Array, draw: np.random.Generator) -> Array:
    """Of as many rows, drawn with replacement."""
    return np.bincount(draw.integers(len(rows), size=len(rows)), minlength=len(rows)) @ rows / len(rows)


def _solve(K: Array, mu: Array) -> tuple[Array, Array]:
    """The shares, those below 0 set to 0, and how far below they were."""
    q = np.linalg.lstsq(K, mu, rcond=1 / SINGULAR)[0]
    shares = np.maximum(q, 0)
    return shares / shares.sum(), np.minimum(q, 0)
