"""Randomised weights must change the map (Adebayo et al., 2018): an explanation that stays the same where the model
knows nothing any more does not tell of the model.

The head's weights, and then those of the backbone too, are drawn anew: normal, with the spread that each array had. How
alike the maps are is the rank correlation of their parts (Spearman): 1 the same, 0 nothing in common.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import rankdata

from headstart.artefact.model import Model
from headstart.explanations.attribution import Attribution
from headstart.tasks.task import Array

__all__ = ["ALIKE", "Randomisation", "randomisation", "randomised", "rank_correlation"]

ALIKE = 0.5
"""From which rank correlation on two maps count as the same."""


class Randomisation(NamedTuple):
    """Rank correlations of the map with that of the model with random weights, from -1 to 1.

    head   the weights of the head drawn anew
    all    those of the backbone too; None where it has none that could be drawn
    """

    head: float
    all: float | None

    @property
    def changed(self) -> bool:
        """Whether the map changes with each of them."""
        return all(value is None or value < ALIKE for value in self)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {"rank_correlation": self._asdict(), "changed": self.changed}


def randomisation(
    model: Model, attribute: Callable[[Model], Attribution], values: Array, *, seed: int = 0
) -> Randomisation:
    """attribute   explains the same input and the same class of another model in the same way
    values      (U,) of the model itself
    """
    head = rank_correlation(values, attribute(randomised(model, seed=seed)).values)
    if model.beside or model.backbone is None or not _drawable(model):
        return Randomisation(head, None)
    return Randomisation(head, rank_correlation(values, attribute(randomised(model, seed=seed, whole=True)).values))


def randomised(model: Model, *, seed: int, whole: bool = False) -> Model:
    """The model with random weights in its heads, and where `whole` in its backbone too."""
    rng = np.random.default_rng(seed)
    members = [replace(member.model, head=_drawn(member.model, rng)) for member in model.members]
    beside = tuple(member._replace(model=other) for member, other in zip(model.beside, members[1:], strict=True))
    first = replace(members[0], beside=beside)
    if not whole or first.backbone is None or first.backbone.module is None:
        return first
    module = deepcopy(first.backbone.module)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in module.parameters():
            if weights.ndim > 1:
                drawn = torch.randn(weights.shape, generator=generator) * weights.std() + weights.mean()
                weights.copy_(drawn)
    return replace(first, backbone=replace(first.backbone, module=module))


def rank_correlation(first: Array, second: Array) -> float:
    """Spearman's, of two maps (U,); 1 where they are the same, 0 where one of them is flat and the other not."""
    if np.array_equal(first, second):
        return 1.0
    a, b = (rankdata(values) - (len(values) + 1) / 2 for values in (first, second))
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length else 0.0


def _drawn(model: Model, rng: np.random.Generator) -> Any:
    arrays = {
        name: np.asarray(rng.normal(array.mean(), array.std() or 1.0, array.shape), array.dtype)
        if name.startswith("weight.")
        else array
        for name, array in model.head.arrays.items()
    }
    return replace(model.head, arrays=arrays)


def _drawable(model: Model) -> bool:
    module = None if model.backbone is None else model.backbone.module
    return module is not None and any(weights.ndim > 1 for weights in module.parameters())
