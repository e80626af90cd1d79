"""Where all rows are given the same class: what that says of the model, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import Interval
from headstart.evidence.verdict import figure, spread
from headstart.tasks.task import Array

__all__ = ["always_the_same"]

_CHANCE = 0.5


def always_the_same(held_out: HeldOut, counts: Array, scores: Mapping[str, Interval]) -> Iterator[str]:
    """A note where one class is answered to every row and there are rows of others; counts (C, C) as of `confusion`."""
    answered = np.flatnonzero(counts.sum(axis=0)) if len(counts) else np.zeros(0, np.int64)
    if len(answered) != 1 or (counts.sum(axis=1) > 0).sum() < 2:
        return
    area, label = scores["auroc"], held_out.classes[int(answered[0])]
    words = f"All {len(held_out.targets):,} rows are called {label!r}"
    order = f"AUROC {figure(area.value)} {spread(area)}"
    if area.low > _CHANCE:
        yield (
            f"{words}, though the probabilities of the classes tell them apart ({order}): {_advice(held_out)}, and the "
            "rare ones are answered too."
        )
    else:
        yield (
            f"{words}, and the probabilities do not tell the classes apart beyond chance ({order}): other columns or "
            "inputs, more rows of the rare classes or another backbone are needed."
        )


def _advice(held_out: HeldOut) -> str:
    """By what rare classes are answered too: the goal, and where it is that already, weights in the fit."""
    if held_out.headline != "balanced_accuracy" or held_out.goal is None:
        return "with --for balanced-accuracy all classes count alike in the answers"
    return "with --class-weight balanced all classes count alike in the fit too"
