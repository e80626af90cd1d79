"""The networks of sounds of transformers (Wolf et al., 2020) behind a front end that computes what theirs does, for a
whole batch, so that what they are put together with changes no clip.

    wav2vec2, hubert, wavlm   Baevski et al., 2020; Hsu et al., 2021; Chen et al., 2022: over waves
    AST                       Gong et al., 2021: over a log-mel picture of always the same size
    CLAP's                    Wu et al., 2023: the same, of the clip again and again
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn

from headstart.backbones.sound.encoder import SoundEncoder, at_least
from headstart.backbones.sound.front_end import FrontEnd, Spectrum, prefix_mask
from headstart.backbones.sound.pooling import mean_over_time

__all__ = ["ASTEncoder", "ClapEncoder", "WaveEncoder"]

_SAMPLES: ContextVar[Tensor | None] = ContextVar("_SAMPLES", default=None)
"""Of each clip of this thread's pass, how many samples it has, (N,)."""


class WaveEncoder(SoundEncoder):
    """(waves (N, T), samples (N,)) -> (N, D): the mean of the last states of each clip.

    normalise   whether each clip is brought to mean 0 and variance 1 before
    """

    chain = "model.encoder.layers"

    def __init__(self, model: Any, *, normalise: bool) -> None:
        super().__init__()
        self.model = model
        self.normalise = normalise
        first = model.feature_extractor.conv_layers[0]
        if isinstance(getattr(first, "layer_norm", None), nn.GroupNorm):
            first.layer_norm = _OverClip(first.layer_norm, first.conv)

    def forward(self, waves: Tensor, samples: Tensor) -> Tensor:
        real = prefix_mask(samples, waves.shape[1])
        waves = _normalised(waves.float(), real) if self.normalise else waves
        token = _SAMPLES.set(samples)
        try:
            # None where nothing is padded: faster, and the same; a GPU would have to be waited for to know, and a graph
            # that is exported has to serve both.
            known = not waves.is_cuda and not torch.compiler.is_exporting()
            mask = None if known and bool(real.all()) else real.long()
            states = self.model(waves.to(self.dtype), attention_mask=mask).last_hidden_state
        finally:
            _SAMPLES.reset(token)
        return mean_over_time(states, self.counts("", samples))

    def counts(self, after: str, samples: Tensor) -> Tensor:
        lengths: Tensor = self.model._get_feat_extract_output_lengths(samples)
        return lengths.long()

    def parameter_groups(self) -> list[list[str]]:
        """Names of parameters by stage: what stands before the layers, each layer with a norm behind the last."""
        return _by_layer(self, self.chain)


class ASTEncoder(SoundEncoder):
    """(waves (N, T), samples (N,)) -> (N, D): its own pooled output, of the tokens that stand for the whole.

    frames     of the picture: longer clips are cut, shorter ones followed by zeros
    mean, std  of its values: (x - mean) / (2 std); None: as they are
    """

    of_pictures = True
    chain = "model.layers"

    def __init__(self, model: Any, spectrum: Spectrum, frames: int, scale: tuple[float, float] | None) -> None:
        super().__init__()
        self.model = model
        self.front_end = FrontEnd(spectrum)
        self.length, self.scale = frames, scale

    def forward(self, waves: Tensor, samples: Tensor) -> Tensor:
        size = self.front_end.spectrum.frame + (self.length - 1) * self.front_end.spectrum.hop
        levels = self.front_end(at_least(waves, size)[:, :size], samples)
        if self.scale is not None:
            mean, std = self.scale
            levels = (levels - mean) / (2 * std)
        pooled: Tensor = self.model(levels.to(self.dtype)).pooler_output
        return pooled

    def counts(self, after: str, samples: Tensor) -> None:
        """None: its tokens are of the whole picture."""

    def parameter_groups(self) -> list[list[str]]:
        """As those of `WaveEncoder`."""
        return _by_layer(self, self.chain)


class ClapEncoder(SoundEncoder):
    """(waves (N, T), samples (N,)) -> (N, D): the pooled output before the projection.

    size     samples of the picture
    repeat   "repeatpad": a shorter clip as often as it goes in as a whole; "repeat": as often as it takes; "pad": once
    fusion   whether the network takes the picture four times, as it takes parts of longer clips
    """

    of_pictures = True
    chain = "model.audio_encoder.layers"

    def __init__(self, model: Any, spectrum: Spectrum, size: int, repeat: str, *, fusion: bool) -> None:
        super().__init__()
        self.model = model
        self.front_end = FrontEnd(spectrum)
        self.size, self.repeat, self.fusion = size, repeat, fusion

    def forward(self, waves: Tensor, samples: Tensor) -> Tensor:
        repeated = self._repeated(waves, samples.clamp(1, self.size))
        levels = self.front_end(repeated, torch.full_like(samples, self.size)).to(self.dtype)[:, None]
        inputs = levels.expand(-1, 4, -1, -1) if self.fusion else levels
        is_longer = torch.zeros(waves.shape[0], 1, dtype=torch.bool, device=waves.device)
        output = self.model(input_features=inputs, is_longer=is_longer)
        return torch.flatten(output.pooler_output, 1)

    def counts(self, after: str, samples: Tensor) -> None:
        """None: its places are of the whole picture."""

    def parameter_groups(self) -> list[list[str]]:
        """As those of `WaveEncoder`; the norm of its levels stands before the layers, though it is made after them."""
        return _by_layer(self, self.chain, ("model.audio_encoder.batch_norm.",))

    def _repeated(self, waves: Tensor, samples: Tensor) -> Tensor:
        at = torch.arange(self.size, device=waves.device)
        count = samples[:, None]
        times = {"pad": torch.ones_like(count), "repeatpad": self.size // count}.get(self.repeat, self.size)
        whole = at_least(waves, self.size)[:, : self.size]
        return whole.gather(1, at % count).masked_fill(at >= times * count, 0.0)


class _OverClip(nn.GroupNorm):
    """A norm of each channel over time, of which only a clip's own places count: behind the first convolution, whose
    lengths follow from those of the waves. In transformers padding shifts it."""

    def __init__(self, norm: nn.GroupNorm, convolution: nn.Conv1d) -> None:
        super().__init__(norm.num_groups, norm.num_channels, norm.eps)
        self.load_state_dict(norm.state_dict())
        self.kernel, self.stride = int(convolution.kernel_size[0]), int(convolution.stride[0])

    def forward(self, x: Tensor) -> Tensor:
        samples = _SAMPLES.get()
        if samples is None:
            return super().forward(x)
        counts = (samples - self.kernel).div(self.stride, rounding_mode="floor") + 1
        real = prefix_mask(counts, x.shape[2])[:, None]
        count = counts[:, None, None]
        mean = x.masked_fill(~real, 0.0).sum(2, keepdim=True) / count
        apart = (x - mean).masked_fill(~real, 0.0)
        scale = torch.rsqrt(apart.square().sum(2, keepdim=True) / count + self.eps)
        return apart * scale * self.weight[:, None] + self.bias[:, None]


def _normalised(waves: Tensor, real: Tensor) -> Tensor:
    count = real.sum(1, keepdim=True)
    mean = (waves * real).sum(1, keepdim=True) / count
    apart = (waves - mean) * real
    return apart * torch.rsqrt(apart.square().sum(1, keepdim=True) / count + 1e-7)


def _by_layer(module: nn.Module, chain: str, early: tuple[str, ...] = ()) -> list[list[str]]:
    """early   prefixes of what is applied before the layers, wherever it stands among the parameters"""
    names = [name for name, _ in module.named_parameters()]
    count = len(list(module.get_submodule(chain).children()))
    layers = [[name for name in names if name.startswith(f"{chain}.{place}.")] for place in range(count)]
    last = max(names.index(name) for name in layers[-1])
    within = {name for layer in layers for name in layer}
    rest = [name for name in names if name not in within]
    before = [name for name in rest if names.index(name) < last or name.startswith(early)]
    return [before, *layers[:-1], layers[-1] + [name for name in rest if name not in before]]
