"""Which rows make up each step of an epoch: those of a task, and beside them, where there is one, those of a target."""

from __future__ import annotations

import numpy as np

from headstart.tasks.task import Array

__all__ = ["parts", "rounds"]

_STREAM = 2


def rounds(rows: Array, target: Array, most: int, seed: tuple[int, ...]) -> list[Array]:
    """Row numbers of each step, in an order drawn from the seed: each row once, at most so many rows a step.

    With target rows, so many of either task: the longer one is gone through once, and the shorter again and again.
    """
    if not len(target):
        return parts(np.random.default_rng(seed).permutation(rows), most)
    steps = max(len(parts(some, most)) for some in (rows, target))
    drawn = (np.random.default_rng(seed), np.random.default_rng([*seed, _STREAM]))
    both = [_cycled(some, most, steps, rng) for some, rng in zip((rows, target), drawn, strict=True)]
    return [np.concatenate(pair) for pair in zip(*both, strict=True)]


def parts(rows: Array, most: int) -> list[Array]:
    """As few parts of at most so many rows as it takes, of about the same size."""
    return np.array_split(rows, max(1, -(-len(rows) // most)))


def _cycled(rows: Array, most: int, steps: int, rng: np.random.Generator) -> list[Array]:
    longest = len(parts(rows, most)) == steps
    total = len(rows) if longest else min(most, len(rows)) * steps
    order = np.concatenate([rng.permutation(rows) for _ in range(-(-total // len(rows)))])
    return np.array_split(order[:total], steps)
