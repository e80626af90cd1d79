"""How calibrated probabilities become answers that serve an aim: the utility U of `tasks.goal`, in (C,) or (C, C).

    balanced_accuracy   U = diag(1 / pi)
    cost                U = -costs
    f1 of class k       k where p_k > F / 2, F the best F1 of k that can be expected (Lipton et al., 2014, theorem
                        1); else the likeliest of the others
    macro_f1            U = diag(pi^-a), a the one of 0, 1/4, 1/2, 3/4, 1 of which most macro F1 can be expected

Expected of answers d to rows with calibrated probabilities p, which none of them was fitted on:

    F1_c = 2 sum_(i: d_i = c) p_ic / (sum_i [d_i = c] + sum_i p_ic)

What is expected is steadier on few rows than what was counted, see `docs/decisions/0017-goals.md`.
"""

from __future__ import annotations

import numpy as np

from headstart.tasks.goal import Aim
from headstart.tasks.task import Array

__all__ = ["decide", "utility_of"]

_EXPONENTS = (0.5, 0.25, 0.75, 0.0, 1.0)
_SLIGHT = 1e-6
"""What tells classes apart that are worth the same otherwise, as a share of that worth."""


def decide(probabilities: Array, utility: Array | None) -> Array:
    """(..., C) probabilities -> (...) codes of the highest expected utility; of equals the first."""
    if utility is None:
        return np.asarray(probabilities.argmax(axis=-1))
    expected = probabilities * utility if utility.ndim == 1 else probabilities @ utility
    return np.asarray(expected.argmax(axis=-1))


def utility_of(aim: Aim | None, probabilities: Array, shares: Array) -> Array | None:
    """U for an aim; None where the likeliest class is the answer.

    probabilities   (N, C) calibrated, of rows that were held out; none: what is expected of them is not known
    shares          (C,) of the classes among the rows that were learnt from
    """
    if aim is None:
        return None
    shares = np.where(shares > 0, shares, shares[shares > 0].min(initial=1.0))
    if aim.metric == "balanced_accuracy":
        return np.asarray(1 / shares)
    if aim.costs is not None:
        return -aim.costs
    if not len(probabilities):
        return None
    if aim.code is not None:
        return _for_class(probabilities, aim.code)
    return _for_mean(probabilities, shares) if aim.metric == "macro_f1" else None


def _for_class(probabilities: Array, code: int) -> Array:
    """(C, C) U: the class where p > t is worth 1 - t to answer, any other t, and of others the likeliest slightly more.

    (1 - t) p_k > t (1 - p_k)    where p_k > t
    """
    t, classes = _best_f1(probabilities[:, code]) / 2, probabilities.shape[1]
    utility = np.full((classes, classes), t) + _SLIGHT * (t or 1.0) * np.eye(classes)
    utility[code] = 0.0
    utility[:, code] = 0.0
    utility[code, code] = 1 - t
    return utility


def _best_f1(p: Array) -> float:
    """The highest F1 that can be expected of calling the likeliest rows of the class, however many."""
    sorted_p = np.sort(p)[::-1]
    expected = 2 * np.cumsum(sorted_p) / (np.arange(1, len(p) + 1) + sorted_p.sum())
    return float(expected.max(initial=0.0))


def _for_mean(probabilities: Array, shares: Array) -> Array:
    """(C,) the powers of the shares with the highest expected macro F1."""
    utilities = [shares**-exponent for exponent in _EXPONENTS]
    return max(utilities, key=lambda utility: _expected_f1(probabilities, decide(probabilities, utility)))


def _expected_f1(probabilities: Array, answers: Array) -> float:
    classes = probabilities.shape[1]
    answered = np.bincount(answers, minlength=classes)
    right = np.bincount(answers, probabilities[np.arange(len(answers)), answers], classes)
    whole = answered + probabilities.sum(axis=0)
    return float(np.mean(2 * right / np.where(whole > 0, whole, 1.0)))
