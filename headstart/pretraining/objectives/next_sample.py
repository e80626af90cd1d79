"""The next sample of a recording is told from those before it (van den Oord et al., 2016, "WaveNet"), for WaveNets.

l = - mean over t of log softmax(g(s_t))[c_(t+1)],    c = mu-law class of a sample,    g(s) = W_2 relu(W_1 relu(s))

s_t are the network's skips, which see samples up to t alone; g, the output layers of the paper (section 2.4), learns
beside the network and is not kept. Nothing is told at the last sample of a clip, nor in the silence behind it. Guessing
all classes alike costs ln 256 = 5.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.backbones.sound.front_end import prefix_mask
from headstart.backbones.sound.wavenet import WaveNet, mu_law
from headstart.checks import above
from headstart.errors import BackboneError
from headstart.preprocessing.preprocess import Preprocess
from headstart.preprocessing.sound import SoundPreprocess
from headstart.pretraining.objective import Encoded, Learner, Objective
from headstart.pretraining.views import Views
from headstart.tasks import AUDIO, Modality
from headstart.tasks.task import Array

__all__ = ["NextSample", "Skips", "next_sample_cost", "shortened"]


@dataclass(frozen=True, kw_only=True)
class NextSample(Objective):
    """seconds   of a recording that a step sees: a part from anywhere in it, another one in each epoch"""

    seconds: float = 0.5
    modality: ClassVar[Modality] = AUDIO
    takes: ClassVar[int] = 2
    advice: ClassVar[str] = "more different recordings"

    def __post_init__(self) -> None:
        above("seconds", self.seconds, 0, "0.5")

    def suits(self, backbone: Backbone) -> None:
        if not isinstance(backbone.module, WaveNet):
            raise BackboneError(
                f"{backbone.name} does not see samples one after the other: next-sample is for WaveNets, such as "
                "--backbone wavenet:10x1-32; of networks over frames use --backbone cbhg:128 --method masked-frames"
            )

    def form(self, preprocess: Preprocess) -> Preprocess:
        return shortened(preprocess, self.seconds)

    def views(self, backbone: Backbone, variation: Any) -> Views:
        return _plain

    def encoder(self, module: nn.Module) -> nn.Module:
        return Skips(module)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        module: Any = encoder.get_submodule("module")
        return _Classes(dim, module.classes)


class Skips(nn.Module):
    """A WaveNet before its places are averaged: (N, T), (N,) -> (N, T, skip)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, waves: Tensor, samples: Tensor) -> Tensor:
        wavenet: Any = self.module
        skips: Tensor = wavenet.skips(waves)
        return skips


class _Classes(Learner):
    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.g = nn.Sequential(nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, classes))

    def forward(self, rows: Encoded) -> Tensor:
        waves, samples = rows.inputs
        return next_sample_cost(self.g(rows.features), mu_law(waves, self.classes), samples)


def next_sample_cost(logits: Tensor, classes: Tensor, samples: Tensor) -> Tensor:
    """l above. logits (N, T, C), classes (N, T) int64, of which the first `samples` (N,) are of each clip."""
    told = prefix_mask(samples - 1, classes.shape[1] - 1)
    each = functional.cross_entropy(logits[:, :-1].transpose(1, 2).float(), classes[:, 1:], reduction="none")
    return each.masked_fill(~told, 0.0).sum() / told.sum().clamp(min=1)


def shortened(preprocess: Preprocess, seconds: float) -> Preprocess:
    """The same for parts of at most so many seconds of a recording."""
    if not isinstance(preprocess, SoundPreprocess):
        raise TypeError(f"a {preprocess.kind} has no seconds")
    return preprocess.shortened(seconds)


def _plain(batch: tuple[Array, ...], lengths: Sequence[int], draws: Sequence[np.random.Generator]) -> tuple[Array, ...]:
    """Waves and samples as they are: what is to be told is in them."""
    return batch
