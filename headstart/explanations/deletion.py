"""Deletion curves (Petsiuk, Das and Saenko, 2018): does the answer go first where its explanation says it stands?

Parts are taken away, the most important first, and after each step the model answers again. The less is under the
curve, the better the explanation names what the answer stands on; the same parts taken away in random orders say how
much that is. What is better than random is only shown to be better than random: the check ranks ways, it does not
prove one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from headstart.explanations.attribution import Case
from headstart.explanations.question import Question
from headstart.tasks.task import Array

__all__ = ["Deletion", "deletion"]


class Deletion(NamedTuple):
    """share    (S + 1,) of the parts that are missing, from 0 to 1
    curve    (S + 1,) the probability of the class, or the value, where the most important are missing first
    random   (S + 1,) the mean of that over random orders
    area, random_areas   under the curve, and (R,) under that of each random order, over shares from 0 to 1
    """

    share: Array
    curve: Array
    random: Array
    area: float
    random_areas: Array

    @property
    def better(self) -> bool:
        """Whether the area is below the mean of random orders."""
        return self.area < float(self.random_areas.mean())

    @property
    def beaten(self) -> float:
        """The share of random orders whose area is larger."""
        return float((self.random_areas > self.area).mean())

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "share": self.share.tolist(),
            "curve": self.curve.tolist(),
            "random": self.random.tolist(),
            "area": self.area,
            "random_area": float(self.random_areas.mean()),
            "better_than_random": self.better,
            "random_orders_beaten": self.beaten,
        }


def deletion(
    case: Case, question: Question, values: Array, *, steps: int = 10, orders: int = 5, seed: int = 0
) -> Deletion:
    """The curve of attributions `values` (U,) beside that of random orders.

    steps    after how many equal shares of the parts the model is asked, at most one a part
    orders   how many random ones
    """
    count = len(case.parts)
    if np.shape(values) != (count,):
        raise ValueError(f"values of shape {np.shape(values)}: expected one for each of the {count} parts")
    if steps < 1 or orders < 1:
        raise ValueError(f"steps = {steps}, orders = {orders}: expected at least 1 of each")
    missing = np.unique(np.linspace(0, count, min(steps, count) + 1).round().astype(int))
    rng = np.random.default_rng(seed)
    every = [np.argsort(-np.asarray(values), kind="stable"), *(rng.permutation(count) for _ in range(orders))]
    kept = np.array([[_without(order[:some], count) for some in missing] for order in every])
    answers = question.measured(case.ask(kept.reshape(-1, count))).reshape(len(every), len(missing))
    share = missing / count
    areas = np.trapezoid(answers, share, axis=1)
    return Deletion(share, answers[0], answers[1:].mean(0), float(areas[0]), areas[1:])


def _without(parts: Array, count: int) -> Array:
    kept = np.ones(count, bool)
    kept[parts] = False
    return kept
