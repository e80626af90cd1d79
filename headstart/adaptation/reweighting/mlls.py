"""Shares of classes by greatest likelihood (Saerens, Latinne and Decaestecker, 2002), on calibrated probabilities.

    q = argmax  sum_j log sum_c q_c p(c | z_j) / p_c       by expectation-maximisation,     w(x_i) = q(y_i) / p(y_i)

p(c | x) = softmax(x'W / T + b)_c of a cross-fitted logistic regression, with T and b set on rows that it did not see
(Alexandari, Kundaje and Shrikumar, 2020). Use it under label shift: narrower than BBSE. Not where the features of a
class moved too. The interval is that of the target rows drawn; it takes the probabilities as right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

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
from headstart.adaptation.reweighting.cross_fit import cross_fit
from headstart.adaptation.reweighting.weights import level
from headstart.linalg.mixture import mixture_shares
from headstart.tasks.task import Array

__all__ = ["MLLS", "label_shares"]

SURE = (1e-3, 1e2)
AT_MOST = 20_000
RETURN = 1e-3
SHORT = 0.01


@dataclass(frozen=True, kw_only=True)
class MLLS:
    """Weights by the likeliest share of each class.

    C       inverse strength of the classifier's penalty on standardised features
    folds   models, for probabilities of rows that were not seen
    draws   of the bootstrap, for the interval
    Raises ValueError for bad options, a regression, and a class with fewer than two source rows
    """

    C: float = 1.0
    folds: int = 5
    draws: int = 200
    seed: int = 0

    def __call__(self, domains: Domains) -> Aligned:
        check_fitting(self.C, self.folds, self.draws)
        check_classes(domains)
        if same_rows(domains):
            return level(domains)
        return by_share(domains, label_shares(domains, self), {"clipped": False})


def label_shares(domains: Domains, how: MLLS | None = None) -> Shares:
    """The target's share of each class by `MLLS`, with intervals. Raises ValueError as `MLLS` does."""
    how = MLLS() if how is None else how
    check_fitting(how.C, how.folds, how.draws)
    check_classes(domains)
    codes, p = domains.targets.astype(int), source_shares(domains)
    fit = cross_fit((domains.source,), codes, C=how.C, folds=how.folds, seed=how.seed)
    sure, b = calibrated(fit.unseen(domains.source), codes)
    logits = domains.target @ fit.W.mean(axis=0) + fit.b.mean(axis=0)
    r = softmax(sure * logits + b, axis=1) / p
    q = mixture_shares(r, short=0.1 * SHORT / len(r))
    return Shares(p, q, *_interval(r, q, how), ())


def _interval(r: Array, q: Array, how: MLLS) -> tuple[Array, Array]:
    """From draws of at most 20,000 target rows; more rows deviate less, by the square root.

    A mean log likelihood that is .01 / m short is a tenth of a standard deviation off.
    """
    draw = np.random.default_rng(how.seed)
    m, start = min(len(r), AT_MOST), (q + RETURN) / (q + RETURN).sum()
    again = []
    for _ in range(how.draws):
        rows, counts = np.unique(draw.integers(len(r), size=m), return_counts=True)
        again.append(mixture_shares(r[rows], counts, start=start, short=SHORT / m))
    return interval(np.array(again), q, float(np.sqrt(m / len(r))))


def calibrated(logits: Array, codes: Array) -> tuple[float, Array]:
    """1 / T and b (C,) of softmax(logits / T + b) with the least log loss: bias-corrected temperature scaling."""
    onehot = np.eye(logits.shape[1])[codes]

    def loss(options: Array) -> tuple[float, Array]:
        log_p = log_softmax(options[0] * logits + options[1:], axis=1)
        off = (np.exp(log_p) - onehot) / len(codes)
        return -float((onehot * log_p).sum()) / len(codes), np.append((off * logits).sum(), off.sum(axis=0))

    bounds = [SURE, *[(-50.0, 50.0)] * logits.shape[1]]
    start = np.append(1.0, np.zeros(logits.shape[1]))
    point = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"gtol": 1e-8, "ftol": 1e-14}).x
    return float(point[0]), point[1:]
