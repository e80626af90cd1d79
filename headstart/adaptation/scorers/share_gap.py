"""Whether a model answers the target with the classes in the shares that they are estimated to have there.

    gap = 1/2 sum_c |share of target rows that the model calls c - q_c|        lower is better, from 0 to 1

q is estimated without target labels by `reweighting.bbse` or `reweighting.mlls`, from the unmoved source.
Use it under label shift, and elsewhere to catch a model that has mixed the classes or says one class of every row.
"""

from __future__ import annotations

import numpy as np

from headstart.adaptation.scorers.checks import finite, probabilities
from headstart.tasks.task import Array

__all__ = ["share_gap"]

_OFF = 1e-6


def share_gap(p_target: Array, shares: Array) -> float:
    """Total variation of the classes called in probabilities (m, C) from estimated shares (C,).

    Raises ValueError where the shares are not one a class, at least 0, with sum 1
    """
    p, q = probabilities("p_target", p_target), finite("shares", shares, 1)
    if len(q) != p.shape[1] or q.min() < 0 or abs(q.sum() - 1) > _OFF:
        raise ValueError(
            f"shares has {len(q)} values from {q.min():.3g} with sum {q.sum():.6g}: expected {p.shape[1]}, one a "
            "class, none below 0, with sum 1"
        )
    called = np.bincount(p.argmax(axis=1), minlength=len(q)) / len(p)
    return float(np.abs(called - q).sum() / 2)
