"""Two classes in the plane and three ways to shift them: the recipe of skada's `make_shifted_datasets`, rebuilt.

Class 0 fills an ellipse, class 1 is four small clumps along its edge. Draws are made in the same order, so that a seed
gives the same numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
SHIFTS = ("covariate_shift", "target_shift", "conditional_shift")
CLUMPS = (
    ([[0.15, 0], [0, 0.3]], [-1.5, 3]),
    ([[0.2, -0.1], [-0.1, 0.2]], [-0.5, 1]),
    ([[0.17, -0.05], [-0.05, 0.17]], [1, -0.4]),
    ([[0.3, 0], [0, 0.15]], [3, -1]),
)


class Pair(NamedTuple):
    """Source rows and classes, target rows and classes."""

    source: Array
    targets: Array
    target: Array
    truth: Array


def make_shifted(shift: str, seed: int, *, size: int = 20, noise: float = 0.3) -> Pair:
    """8 * size rows of each task."""
    random = np.random.RandomState(seed)
    source, y = _plane(size, random)
    if shift == "covariate_shift":
        target, truth = _plane(100 * size, random)
        chance = np.exp(-2 * ((target - [0, 2]) ** 2).sum(axis=1))
        chosen = random.choice(len(chance), size=(8 * size,), replace=False, p=chance / chance.sum())
        target, truth = target[chosen], truth[chosen]
    elif shift == "target_shift":
        target, truth = _plane(3 * size, random)
        first = random.choice(12 * size, size=(int(7.2 * size),), replace=False)
        second = random.choice(12 * size, size=(8 * size - int(7.2 * size),), replace=False) + 12 * size
        target, truth = target[np.r_[first, second]], truth[np.r_[first, second]]
    else:
        target, truth = _plane(size, random)
        target = target * 0.7 + 1
    source = source + random.normal(scale=noise, size=source.shape)
    return Pair(source, y, target + random.normal(scale=noise, size=target.shape), truth)


def _plane(size: int, random: np.random.RandomState) -> tuple[Array, Array]:
    angle = random.rand(4 * size, 1) * 2 * np.pi
    radius = np.sqrt(random.rand(4 * size, 1))
    disc = np.concatenate((radius * np.cos(angle), radius * np.sin(angle)), axis=1)
    parts = [disc @ np.array([[2, -0.5], [-0.5, 2]]) + [2, 2]]
    parts += [random.randn(size, 2) @ np.array(form) + centre for form, centre in CLUMPS]
    return np.concatenate(parts), np.repeat([0, 1], 4 * size)
