"""What is looked at after each epoch: whether the embeddings collapse, and how well neighbours tell labels apart.

An objective that compares views is least where all embeddings are one point, or lie in a few directions; what keeps it
from there may fail (Jing et al., 2022, "Understanding Dimensional Collapse in Contrastive Self-supervised Learning").
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from headstart.pretraining.embeddings import alignment, effective_rank, neighbour_accuracy, spread, uniformity
from headstart.tasks.task import Array
from headstart.training.augmentation import View
from headstart.training.batches import InputBatches
from headstart.training.sampler import parts
from headstart.training.validation import logits

__all__ = ["MOST", "Health", "Watch", "collapse_of", "watched"]

MOST = 512
"""Rows that are looked at."""

_BATCH = 32
_POINT = 1e-3
_POINT_SHARE = 0.02
_DIRECTIONS = 1.5
_DIRECTIONS_SHARE = 0.1


class Health(NamedTuple):
    """Of the embeddings of some rows, see `embeddings`; NaN is what is not known: neighbours where no labels are there,
    alignment where nothing varies a row by itself, as in tables."""

    rank: float
    alignment: float
    uniformity: float
    spread: float
    neighbours: float


class Watch:
    """Of rows of `inputs`: (n,) row numbers; codes (n,) of their classes, None where there are none."""

    def __init__(self, inputs: InputBatches, rows: Array, codes: Array | None, seed: int) -> None:
        self.inputs, self.rows, self.seed = inputs, rows, seed
        self.codes = None if codes is None else torch.from_numpy(codes)

    def __call__(self, module: nn.Module) -> Health:
        """What the embeddings by this backbone, which is in eval mode, tell."""
        plain = logits(module, self.inputs, self.rows, _BATCH).float().cpu()
        varied = self._varied(module).float().cpu()
        if not bool(plain.isfinite().all() and varied.isfinite().all()):
            return Health(*[float("nan")] * len(Health._fields))
        near = float("nan") if self.codes is None else neighbour_accuracy(plain, self.codes)
        apart = float("nan") if torch.equal(plain, varied) else alignment(plain, varied)
        return Health(effective_rank(plain), apart, uniformity(plain), spread(plain), near)

    def _varied(self, module: nn.Module) -> Tensor:
        draw = View(self.seed, 0)
        with torch.no_grad():
            return torch.cat([module(*self.inputs.batch(some, draw)) for some in parts(self.rows, _BATCH)])


def watched(count: int, labelled: Array | None, seed: int) -> Array:
    """Which of so many rows are looked at, labelled ones where there are any."""
    rows = np.arange(count) if labelled is None else labelled
    return np.sort(np.random.default_rng([seed, 4]).permutation(rows)[:MOST])


def collapse_of(now: Health, start: Health) -> str:
    """In words how the embeddings have collapsed since the start; "" where they have not."""
    if now.spread < min(_POINT, _POINT_SHARE * start.spread):
        return (
            f"all embeddings are nearly one point: their mean squared distance is {now.spread:.1e}, and was "
            f"{start.spread:.1e} at the start"
        )
    if now.rank < max(_DIRECTIONS, _DIRECTIONS_SHARE * start.rank):
        return f"the embeddings lie in {now.rank:.1f} directions, and lay in {start.rank:.1f} at the start"
    return ""
