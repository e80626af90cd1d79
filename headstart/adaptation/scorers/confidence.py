"""How sure a model is of the target rows: criteria that look at its answers there and at nothing else.

    entropy = mean_j H(p_j),  H(p) = -sum_c p_c log p_c          lower is better (Morerio, Cavazza and Murino, 2018)
    InfoMax = H(mean_j p_j) - mean_j H(p_j)                      higher is better (Shi and Sha, 2012)
    MaNo    = (1/(m C) sum_jc s(q_j)_c^r)^(1/r),  r = 4          higher is better (Xie et al., 2024), logits q

s is the softmax where Phi = -1/(m C) sum_jc log softmax(q_j)_c > 5, else v / sum v with v = 1 + q + q^2 / 2. Use them
to compare models that are calibrated alike. A model that is wrong and sure looks best to all; InfoMax also asks for
even shares of the classes, and is misled where the target's are not.
"""

from __future__ import annotations

import numpy as np
from scipy.special import entr, log_softmax

from headstart.adaptation.scorers.checks import finite, positive, probabilities
from headstart.tasks.task import Array

__all__ = ["infomax", "mano", "mean_entropy", "power_mean"]


def mean_entropy(p_target: Array) -> float:
    """Of probabilities (m, C), in nats: 0 where every answer is sure, log C where none says anything."""
    return float(entr(probabilities("p_target", p_target)).sum(axis=1).mean())


def infomax(p_target: Array) -> float:
    """Mutual information of row and class, in nats, of probabilities (m, C): from 0 to log C, sure and balanced."""
    p = probabilities("p_target", p_target)
    return float(entr(p.mean(axis=0)).sum() - entr(p).sum(axis=1).mean())


def power_mean(p_target: Array, power: float = 4.0) -> float:
    """(mean of p^r)^(1/r) of probabilities (m, C): MaNo of what is normalised already; C^(-1/r) at most."""
    positive("power", power, "4")
    return float(np.mean(probabilities("p_target", p_target) ** power) ** (1 / power))


def mano(logits: Array, power: float = 4.0, threshold: float = 5.0) -> float:
    """MaNo of logits (m, C). v is not the same for logits with a constant added: give them as the model does."""
    positive("threshold", threshold, "5")
    q = finite("logits", logits, 2)
    log_p = log_softmax(q, axis=1)
    if -log_p.mean() > threshold:
        return power_mean(np.exp(log_p), power)
    v = 1 + q + q**2 / 2
    return power_mean(v / v.sum(axis=1, keepdims=True), power)
