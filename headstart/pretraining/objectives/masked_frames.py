"""Hidden frames of a mel spectrogram are told from those around them, for the encoders of Tacotron (`cbhg:`,
`tacotron2:`); Liu et al., 2020, "Mockingjay: Unsupervised Speech Representation Learning with Deep Bidirectional
Transformer Encoders", here with recurrent layers of both directions in place of a transformer.

l = mean over hidden frames t and bands b of |W s_t(x') - x_t|_b,    x'_t = 0 where t is hidden, else x_t

x are log-mel frames, of each clip and band minus the mean and divided by the deviation of the clip; s the states; W
learns beside the network and is not kept. Frames are hidden in runs of `run`, so that their neighbours do not give them
away. Guessing the mean costs about .8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.backbones.sound.front_end import prefix_mask
from headstart.backbones.sound.tacotron import OverFrames
from headstart.checks import above, at_least
from headstart.errors import BackboneError
from headstart.preprocessing.preprocess import Preprocess
from headstart.pretraining.objective import Encoded, Learner, Objective
from headstart.pretraining.objectives.next_sample import shortened
from headstart.pretraining.views import Views
from headstart.tasks import AUDIO, Modality
from headstart.tasks.task import Array

__all__ = ["FrameStates", "HiddenFrames", "MaskedFrames", "hidden_frame_cost"]

_HOP = OverFrames.SPECTRUM.hop
_E = 1e-3


@dataclass(frozen=True, kw_only=True)
class MaskedFrames(Objective):
    """hidden    the share of frames that are to be told
    run       frames that are hidden side by side (of 10 ms each)
    seconds   of a recording that a step sees: a part from anywhere in it, another one in each epoch
    """

    hidden: float = 0.15
    run: int = 7
    seconds: float = 3.0
    modality: ClassVar[Modality] = AUDIO
    takes: ClassVar[int] = 2
    advice: ClassVar[str] = "more different recordings"

    def __post_init__(self) -> None:
        if not 0 < self.hidden < 1:
            raise ValueError(f"hidden = {self.hidden}: expected a share between 0 and 1, such as 0.15")
        at_least("run", self.run, 1)
        above("seconds", self.seconds, 0, "3")

    def suits(self, backbone: Backbone) -> None:
        if not isinstance(backbone.module, OverFrames):
            raise BackboneError(
                f"{backbone.name} is no encoder over mel frames of which some could be hidden: masked-frames is for "
                "--backbone cbhg:128 and tacotron2:512; of WaveNets use --method next-sample"
            )

    def form(self, preprocess: Preprocess) -> Preprocess:
        return shortened(preprocess, self.seconds)

    def views(self, backbone: Backbone, variation: Any) -> Views:
        return HiddenFrames(self.hidden, self.run)

    def encoder(self, module: nn.Module) -> nn.Module:
        return FrameStates(module)

    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        return _Frames(dim)


@dataclass(frozen=True)
class HiddenFrames:
    """Recordings, and which of their frames are hidden."""

    hidden: float
    run: int

    def __call__(
        self, batch: tuple[Array, ...], lengths: Sequence[int], draws: Sequence[np.random.Generator]
    ) -> tuple[Array, ...]:
        """Waves float32 (N, T), samples int64 (N,), and bool (N, L): a run at least of each."""
        waves, samples = batch
        masks = np.zeros((len(waves), waves.shape[1] // _HOP + 1), bool)
        for row, (count, rng) in enumerate(zip(samples, draws, strict=True)):
            frames = int(count) // _HOP + 1
            runs = max(1, round(self.hidden * frames / self.run))
            for start in rng.integers(0, max(1, frames - self.run + 1), runs):
                masks[row, start : min(start + self.run, frames)] = True
        return waves, samples, masks


class FrameStates(nn.Module):
    """An encoder over frames, asked of clips of which some frames are 0: (N, T), (N,), (N, L) -> (N, L, D)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, waves: Tensor, samples: Tensor, hidden: Tensor) -> Tensor:
        encoder: Any = self.module
        levels = encoder.front_end.plain(waves, samples).to(encoder.dtype)
        states: Tensor = encoder.states(levels.masked_fill(hidden[:, :, None], 0.0), encoder.counts("", samples))
        return states


class _Frames(Learner):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.W = nn.Linear(width, OverFrames.SPECTRUM.mels)

    def forward(self, rows: Encoded) -> Tensor:
        waves, samples, hidden = rows.inputs
        module: Any = rows.encoder.get_submodule("module")
        with torch.no_grad():
            levels = module.front_end.plain(waves, samples)
        return hidden_frame_cost(self.W(rows.features).float(), levels, hidden, module.counts("", samples))


def hidden_frame_cost(told: Tensor, levels: Tensor, hidden: Tensor, counts: Tensor) -> Tensor:
    """l above. told, levels (N, L, mels), hidden (N, L), of which the first `counts` (N,) are of each clip."""
    real = prefix_mask(counts, levels.shape[1])[:, :, None]
    n = counts[:, None, None]
    mean = levels.masked_fill(~real, 0.0).sum(1, keepdim=True) / n
    apart = (levels - mean).masked_fill(~real, 0.0)
    x = apart / (apart.square().sum(1, keepdim=True) / n + _E).sqrt()
    return (told - x).abs().mean(2)[hidden].mean()
