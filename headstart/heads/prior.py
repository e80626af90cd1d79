"""Two numbers that settle a classifier's answers out of fold: a temperature, and how much the classes' shares count.

    p = softmax(z / T + s log pi),  pi: shares of the classes       T, s = argmin  sum_i v_i -log p_i[y_i]  +  s^2 / 2 N

A temperature alone (Guo et al., 2017) stretches the share of each class that a head has learnt along with everything
else, and leaves out that of heads with equal priors; s gives back what is too little and takes what is too much (the
logit adjustment of Menon et al., 2021, with a strength that is fitted). The last term is a standard normal prior of s.
Where all classes have as many rows s changes nothing. What the answers are to be good at is no matter of these
probabilities but of the decision that is made from them, see `decision.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, softmax

from headstart.heads.calibrate import calibrate
from headstart.heads.decision import decide, utility_of
from headstart.tasks import CLASSIFICATION
from headstart.tasks.goal import Aim, Answers, Decided
from headstart.tasks.task import Array

__all__ = ["Settled", "answered", "half_by_class", "settle", "shares_of"]

STEPS = 50
FLAT = 1e-10
ENOUGH = 1e-4
LEAST = 1e-4


class Settled(NamedTuple):
    """logits / temperature + offsets are the settled log odds; loss of the rows that were settled on, in nats.

    offsets    (C,) s log pi
    exponent   s
    """

    temperature: float
    offsets: Array
    loss: float
    exponent: float = 0.0

    def moved(self, logits: Array) -> Array:
        """Logits (N, C) that answer as settled once they are divided by the temperature."""
        return np.asarray(logits + self.temperature * self.offsets)


def half_by_class(targets: Array, weights: Array, classes: int) -> Array:
    """(N,) weights that sum to 1: half of them as given, half alike for each class that has rows of any weight."""
    of_class = np.bincount(targets, weights, classes)
    total, present = of_class.sum(), (of_class > 0).sum()
    if not present:
        return weights
    return np.asarray(weights * (1 / total + 1 / (present * np.where(of_class > 0, of_class, 1.0))[targets]) / 2)


def shares_of(targets: Array, weights: Array, classes: int) -> Array:
    """(C,) the shares of the classes among rows of these weights."""
    of_class = np.bincount(targets, weights, classes)
    return np.asarray(of_class / max(of_class.sum(), np.finfo(np.float64).tiny))


def settle(logits: Array, targets: Array, weights: Array) -> Settled:
    """Temperature and offsets of out-of-fold logits (N, C) for codes (N,); rows of weight 0 are left out."""
    total = weights.sum()
    v = weights / total if total > 0 else weights
    plain = calibrate(logits, targets, CLASSIFICATION, v)
    shares = _log_shares(targets, weights, logits.shape[1])
    unmoved = Settled(plain.temperature, np.zeros(logits.shape[1]), plain.loss)
    if np.ptp(shares) == 0.0:
        return unmoved
    rows = v > 0
    y, v = targets[rows], v[rows]
    scaled = logits[rows] / plain.temperature
    problem = _Problem(scaled - scaled[np.arange(len(y)), y][:, None], shares - shares[y][:, None], v)
    (inverse, s), loss = _minimise(problem, np.array([1.0, 0.0]))
    if loss < np.log1p(1 / (len(y) + 1)):  # where nothing is wrong, no share can be learnt from what is
        return unmoved
    return Settled(plain.temperature / float(inverse), s * shares, loss, float(s))


def answered(logits: Array, out_of_fold: Array, targets: Array, weights: Array, aim: Aim | None) -> Answers:
    """Probabilities of new rows from their logits (M, C), settled by those of the known rows out of fold, and the
    answers decided for an aim."""
    settled = settle(out_of_fold, targets, weights)
    p, known = (softmax(z / settled.temperature + settled.offsets, axis=1) for z in (logits, out_of_fold))
    utility = utility_of(aim, known, shares_of(targets, weights, logits.shape[1]))
    return p if utility is None else Decided(p, decide(p, utility))


class _Problem(NamedTuple):
    """(N, C) how far each class stands above the true one, in logits at the plain temperature and in log shares;
    weights that sum to 1."""

    logits: Array
    shares: Array
    weights: Array

    def at(self, point: Array) -> tuple[float, float, Array, Array]:
        """At (plain temperature / T, s): the loss, what is minimised, its gradient and its Hessian."""
        z = point[0] * self.logits + point[1] * self.shares
        total = logsumexp(z, axis=1, keepdims=True)
        p = np.exp(z - total)
        both = np.stack([self.logits, self.shares])
        first = np.einsum("nc,knc->kn", p, both)
        second = np.einsum("nc,knc,lnc,n->kl", p, both, both, self.weights, optimize=True)
        second -= np.einsum("kn,ln,n->kl", first, first, self.weights)
        prior = np.array([0.0, 1 / len(z)])
        loss = float(self.weights @ total[:, 0])
        return loss, loss + prior[1] * point[1] ** 2 / 2, first @ self.weights + prior * point, second + np.diag(prior)


def _minimise(problem: _Problem, start: Array) -> tuple[Array, float]:
    """Newton's method with halved steps, on inverses of the temperature from LEAST on; the point and the loss there."""
    point, (loss, value, slope, bend) = start, problem.at(start)
    for _ in range(STEPS):
        step = _step(point, slope, bend + FLAT * np.trace(bend) * np.eye(2))
        share = 1.0
        while share > FLAT:
            following = point + share * step
            trial = problem.at(following)
            if trial[1] <= value + ENOUGH * share * (slope @ step):
                break
            share /= 2
        else:
            break
        settled = value - trial[1] <= FLAT
        point, (loss, value, slope, bend) = following, trial
        if settled:
            break
    return point, loss


def _step(point: Array, slope: Array, bend: Array) -> Array:
    """To the minimum of the quadratic form, or to that on the bound where it lies beyond."""
    step = -np.linalg.solve(bend, slope)
    if point[0] + step[0] < LEAST:
        back = LEAST - point[0]
        step = np.array([back, -(slope[1] + bend[1, 0] * back) / bend[1, 1]])
    return np.asarray(step)


def _log_shares(targets: Array, weights: Array, classes: int) -> Array:
    """(C,) log pi; a class without rows counts as the rarest that has some, so that it is moved with that one."""
    of_class = np.bincount(targets, weights, classes)
    present = of_class > 0
    if not present.any():
        return np.zeros(classes)
    return np.asarray(np.log(np.where(present, of_class, of_class[present].min()) / of_class.sum()))
