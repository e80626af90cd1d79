"""An order of rows of which every beginning is a stratified sample: what grows keeps what was computed.

Row j (from 0, shuffled) of n in a class or bin of values stands at (j + u) / n, u uniform in 0 to 1; the first two of
each stand in front, so that no class is missing or has one row where it has more.
"""

from __future__ import annotations

import numpy as np

from headstart.tasks.task import Array, Task

__all__ = ["stratified_order"]

FIRST = 2


def stratified_order(task: Task, seed: int) -> Array:
    """(M,) positions of the rows that have a known target and no test split, in that order."""
    targets = np.asarray(task.targets)
    usable = task.kind.known(targets)
    if task.split is not None:
        usable &= np.asarray(task.split) != "test"
    positions = np.flatnonzero(usable)
    if not len(positions):
        return positions
    rows, strata = task.kind.strata(targets[positions])
    positions, generator = positions[rows], np.random.default_rng(seed)
    shuffled = generator.permutation(len(positions))
    strata = np.unique(strata[shuffled], return_inverse=True)[1]
    order = np.argsort(strata, kind="stable")
    counts = np.bincount(strata)
    number = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    place = (number + generator.random(len(order))) / np.repeat(counts, counts)
    place[number < FIRST] = -1.0
    return np.asarray(positions[shuffled[order[np.argsort(place, kind="stable")]]])
