"""Rotation (Gidaris et al., 2018, "Unsupervised Representation Learning by Predicting Image Rotations").

l = -mean_r log F(x turned by 90 r degrees)_r,   r = 0, 1, 2, 3

For pictures that have an upper side: of textures and of things seen from above it learns nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.pretraining.objective import Encoded, Learner, Objective
from headstart.pretraining.variation import Variation
from headstart.pretraining.views import Views
from headstart.tasks.task import Array

__all__ = ["Rotation", "Turned"]

_TURNS = 4


@dataclass(frozen=True, kw_only=True)
class Rotation(Objective):
    """No option of its own."""

    advice: ClassVar[str] = "--method simclr, since your pictures may have no upper side"

    def views(self, backbone: Backbone, variation: Variation) -> Views:
        return Turned(variation)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        return _Turns(dim)


@dataclass(frozen=True)
class Turned:
    """A view of a picture turned by 0, 90, 180 and 270 degrees: the middle square of it, where it is none."""

    variation: Variation

    def __call__(self, picture: Tensor, rng: np.random.Generator) -> tuple[Tensor, Array | None]:
        """uint8 (4, 3, h, h)."""
        view = self.variation(picture, rng)
        side = min(view.shape[1:])
        top, left = ((size - side) // 2 for size in view.shape[1:])
        square = view[:, top : top + side, left : left + side]
        return torch.stack([square.rot90(turns, (1, 2)) for turns in range(_TURNS)]), None


class _Turns(Learner):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, _TURNS)

    def forward(self, rows: Encoded) -> Tensor:
        logits = self.linear(rows.features.float()).flatten(0, 1)
        turns = torch.arange(_TURNS, device=logits.device).repeat(len(rows.features))
        return functional.cross_entropy(logits, turns)
