"""SimCSE (Gao et al., 2021, "SimCSE: Simple Contrastive Learning of Sentence Embeddings", section 3, unsupervised).

l = -log exp(cos(z, z') / t) / sum_j exp(cos(z, z'_j) / t)

z and z' are the same text through the encoder twice: what differs is which units dropout leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.checks import positive
from headstart.errors import BackboneError
from headstart.pretraining.objective import Learner, Objective
from headstart.pretraining.projector import Projected
from headstart.pretraining.views import Views
from headstart.tasks import TEXT, Modality
from headstart.tasks.task import Array

__all__ = ["SimCSE", "simcse", "twice"]


@dataclass(frozen=True, kw_only=True)
class SimCSE(Objective):
    """temperature   t above"""

    temperature: float = 0.05
    modality: ClassVar[Modality] = TEXT
    takes: ClassVar[int] = 2
    advice: ClassVar[str] = "a higher temperature (--option temperature=0.1)"

    def __post_init__(self) -> None:
        positive("temperature", self.temperature)

    def suits(self, backbone: Backbone) -> None:
        modules = () if backbone.module is None else backbone.module.modules()
        if not any(isinstance(module, nn.Dropout) and module.p > 0 for module in modules):
            raise BackboneError(
                f"{backbone.name} has no dropout, by which simcse tells two views of a text apart: expected a network "
                "like bundled:minilm; use --method mlm where it is one like BERT"
            )

    def views(self, backbone: Backbone, variation: Any) -> Views:
        return twice

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        return Projected(nn.Sequential(nn.Linear(dim, dim), nn.Tanh()), partial(simcse, temperature=self.temperature))


def twice(batch: tuple[Array, ...], lengths: Sequence[int], draws: Sequence[np.random.Generator]) -> tuple[Array, ...]:
    """Each text two times: ids and mask (N, 2, L)."""
    return tuple(np.stack([array, array], 1) for array in batch)


def simcse(z: Tensor, other: Tensor, temperature: float) -> Tensor:
    """The mean of l above over rows (N, d)."""
    scores = functional.normalize(z, dim=1) @ functional.normalize(other, dim=1).T / temperature
    return functional.cross_entropy(scores, torch.arange(len(z), device=z.device))
