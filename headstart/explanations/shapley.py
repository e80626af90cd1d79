"""Shapley values by sampling (Strumbelj and Kononenko, 2014): what a part adds, on average over all orders.

    a_u = mean over orders of   f(those before u, and u) - f(those before u)

Orders are drawn in pairs, one the other turned round (Mitchell et al., 2022), so that for two parts, and for a function
that is a sum of functions of pairs, they are exact. The values of every order add up to f(all) - f(none).
"""

from __future__ import annotations

import numpy as np

from headstart.explanations.attribution import Attribution, Case
from headstart.explanations.question import Question
from headstart.tasks.task import Array

__all__ = ["shapley"]


def shapley(case: Case, question: Question, *, pairs: int = 10, seed: int = 0) -> Attribution:
    """pairs   of orders that are drawn."""
    count = len(case.parts)
    rng = np.random.default_rng(seed)
    orders = [order for _ in range(pairs) for order in _both_ways(rng.permutation(count))]
    scores = question.of_predictions(case.ask(np.concatenate([_growing(order) for order in orders])))
    steps = np.diff(scores.reshape(len(orders), count + 1), axis=1)
    values = np.zeros(count)
    for order, step in zip(orders, steps, strict=True):
        values[order] += step / len(orders)
    return Attribution(values, base=float(scores[0]), score=float(scores[count]), gap=0.0)


def _both_ways(order: Array) -> tuple[Array, Array]:
    return order, order[::-1]


def _growing(order: Array) -> Array:
    """(U + 1, U) bool: nothing, then one part more in each row."""
    kept = np.zeros((len(order) + 1, len(order)), bool)
    for step, part in enumerate(order):
        kept[step + 1 :, part] = True
    return kept
