"""For `beside.py`: heads, kernel widths and penalties that both sides get, and the losses that both seek."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import solve
from scipy.optimize import nnls
from sides import Rows, Side, by_us
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.linear_model import RidgeClassifier

from headstart.adaptation.alignment.step import Align
from headstart.linalg.distances import squared_distances
from headstart.linalg.gaussian import kernel
from headstart.tasks.task import Array

__all__ = ["ALL", "FREE", "HEAD", "WEIGHED", "gamma", "kliep_loss", "kmm_loss", "strong", "weighing"]

HEAD = RidgeClassifier()
# Weights come with any sum: the head must not care.
WEIGHED = RidgeClassifier(alpha=1e-6)
# Components of any scale will do for this one.
FREE = QuadraticDiscriminantAnalysis()
ALL = 10**6


def gamma(rows: Rows) -> float:
    """Of kernels, in units in which the toys have 1."""
    return 2 / rows.source.shape[1]


def weighing(rows: Rows, step: Align) -> Side:
    return by_us(rows, step, WEIGHED, values=lambda model: step(rows.domains).weights)


def strong(rows: Rows, g: float) -> float:
    """A penalty under which theta = (H + lambda I)^-1 h has none below 0, for alpha 0 and .1."""
    k_p, k_q = (kernel(squared_distances(some, rows.target), g) for some in (rows.source, rows.target))
    by_p, by_q, h, penalty = k_p.T @ k_p / len(k_p), k_q.T @ k_q / len(k_q), k_q.mean(axis=0), 1.0
    eye = np.eye(len(h))
    while min(solve(a * by_q + (1 - a) * by_p + penalty * eye, h, assume_a="pos").min() for a in (0.0, 0.1)) < 0:
        penalty *= 2
    return penalty


def kmm_loss(rows: Rows, g: float) -> Any:
    """The value of the programme at the best multiple of the weights."""
    K = kernel(squared_distances(rows.source, rows.source), g)
    kappa = kernel(squared_distances(rows.source, rows.target), g).mean(axis=1)
    return lambda w: -float((kappa @ w) ** 2 / (w @ K @ w))


def kliep_loss(rows: Rows, g: float) -> Any:
    """- mean log w(z), by the theta >= 0 that gives the weights of source rows."""
    k_p, k_q = (kernel(squared_distances(some, rows.target), g) for some in (rows.source, rows.target))

    def loss(w: Array) -> float:
        theta = nnls(k_p, w, maxiter=10**5)[0]
        return -float(np.log(k_q @ theta / (k_p @ theta).mean()).mean())

    return loss
