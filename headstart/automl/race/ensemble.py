"""A weighted average of a few models' answers: greedy selection with replacement (Caruana et al., 2004, section 2).

    begin with the model that loses least; then, again and again, take the one (it may be in already) that makes the
    average of all that were taken lose least; of all these averages the one that loses least is kept: the weight of a
    model is how often it was taken until then, by how many were

The answers are to rows that no model learnt from. The weights are of so few numbers that what they lose on the rows
they were found on is close to what they lose on others; who takes an average in the place of its best member asks for
a gain beyond a standard error all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from headstart.tasks.task import Array

__all__ = ["MEMBERS", "greedy", "weighted"]

STEPS = 20
MEMBERS = 4
_LEAST = 1e-6
"""An average of more must lose less by this share."""


def greedy(
    predictions: Mapping[str, Array], loss: Callable[[Array], float], *, steps: int = STEPS, members: int = MEMBERS
) -> dict[str, float]:
    """Name -> weight, of those that were taken; weights sum to 1.

    predictions   by name: (N, C) probabilities or (N,) values, of the same rows
    loss          of an average
    steps         how many are taken at most, with replacement; members: different ones at most

    A tie goes to the name that comes first.
    """
    taken: dict[str, int] = {}
    best: dict[str, float] = {}
    total, lowest = np.zeros(()), np.inf
    for step in range(1, steps + 1):
        open_to = predictions if len(taken) < members else taken
        losses = {name: loss((total + predictions[name]) / step) for name in open_to}
        name = min(losses, key=lambda name: losses[name])
        taken[name] = taken.get(name, 0) + 1
        total = total + predictions[name]
        if losses[name] < lowest * (1 - _LEAST):
            best, lowest = {each: times / step for each, times in taken.items()}, losses[name]
    return best


def weighted(predictions: Mapping[str, Array], weights: Mapping[str, float]) -> Array:
    """The average of the members' answers (N, C) or (N,)."""
    return np.asarray(sum(weight * np.asarray(predictions[name]) for name, weight in weights.items()))
