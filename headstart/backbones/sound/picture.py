"""A sound as a picture: its log-mel spectrogram, for a network that was trained on photographs (Hershey et al., 2017).

    x = 1 + (db - max_clip db) / 80 in 0 ... 1;   column j of W = the mean of x over [j L / W, (j + 1) L / W)

A clip of L frames fills the width, high sounds stand above, and the three channels are alike, scaled as the network's
own pictures are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.parts import Parts
from headstart.backbones.sound.encoder import SoundEncoder, at_least
from headstart.backbones.sound.front_end import FrontEnd, Spectrum
from headstart.backbones.sound.spec_augment import SpecAugment
from headstart.backbones.stages import stages_of
from headstart.errors import BackboneError
from headstart.preprocessing.sound import SoundPreprocess
from headstart.preprocessing.spec import PicturePreprocess

__all__ = ["ABOUT", "KEYS", "MARK", "SoundPicture", "from_picture_network", "picture_builder"]

MARK = "spectrogram+"
ABOUT = "spectrogram+NAME, sounds, as pictures for the network of a picture backbone, spectrogram+timm:resnet50"
KEYS = ("base", "size", "mean", "std")
_RATE, _SECONDS, _SPAN = 16000, 10, 80.0


class SoundPicture(SoundEncoder):
    """(waves (N, T) at 16 kHz, samples (N,)) -> (N, D). A clip under a second is followed by silence up to that.

    network     (N, 3, H, W) -> (N, D)
    size        H, W
    mean, std   of the pictures that it takes, by channel
    """

    of_pictures = True

    def __init__(
        self, network: nn.Module, size: tuple[int, int], mean: tuple[float, ...], std: tuple[float, ...]
    ) -> None:
        super().__init__()
        spectrum = Spectrum(rate=_RATE, n_fft=1024, frame=1024, window=400, mels=128, form="db", span=_SPAN)
        self.front_end = FrontEnd(spectrum, SpecAugment())
        self.network = network
        self.size, self.mean, self.std = size, mean, std

    @property
    def output_fmt(self) -> str:
        """Of the network's maps, as it says itself."""
        return str(getattr(self.network, "output_fmt", "NCHW"))

    def forward(self, waves: Tensor, samples: Tensor) -> Tensor:
        features: Tensor = self.network(self.pictures(waves, samples).to(self.dtype))
        return features

    def pictures(self, waves: Tensor, samples: Tensor) -> Tensor:
        """(N, 3, H, W), as the network takes them."""
        samples = samples.clamp(min=_RATE)
        levels: Tensor = self.front_end(at_least(waves, _RATE), samples)
        count = self.front_end.spectrum.frames(samples)
        places = torch.arange(levels.shape[1], device=levels.device) < count[:, None]
        largest = levels.masked_fill(~places[:, :, None], -torch.inf).amax((1, 2), keepdim=True)
        shares = (1 + (levels - largest) / _SPAN).masked_fill(~places[:, :, None], 0.0)
        columns = _columns(shares, count, self.size[1]).transpose(1, 2).flip(1)[:, None]
        picture = functional.interpolate(columns, self.size, mode="bilinear", align_corners=False)
        mean, std = (torch.tensor(values, device=waves.device).view(1, -1, 1, 1) for values in (self.mean, self.std))
        return (picture - mean) / std

    def counts(self, after: str, samples: Tensor) -> None:
        """None: its places are of the whole picture."""

    def parameter_groups(self) -> list[list[str]]:
        """Those of the network."""
        names = [name for name, _ in self.network.named_parameters()]
        stages = [prefixes for _, prefixes in stages_of(self.network)]
        return [[f"network.{name}" for name in names if name.startswith(prefixes)] for prefixes in stages]


def picture_builder(build: Callable[[dict[str, Any]], nn.Module]) -> Callable[[dict[str, Any]], nn.Module]:
    """What builds the module of {"hub": "spectrogram", "base", "size", "mean", "std"}.

    build   what builds the network of the base, a spec
    """

    def built(spec: dict[str, Any]) -> nn.Module:
        height, width = spec["size"]
        return SoundPicture(build(spec["base"]), (int(height), int(width)), tuple(spec["mean"]), tuple(spec["std"]))

    return built


def from_picture_network(parts: Parts, name: str) -> Parts:
    """The parts of a backbone of pictures as those of one of sounds. `BackboneError` where it is of anything else."""
    preprocess = parts.preprocess
    if not isinstance(preprocess, PicturePreprocess):
        raise BackboneError(f"{name}: {parts.name} takes no pictures; expected {ABOUT}.")
    spec = {
        **{"hub": "spectrogram", "base": parts.spec, "size": list(preprocess.size)},
        **{"mean": list(preprocess.mean), "std": list(preprocess.std)},
    }
    module = SoundPicture(parts.module, preprocess.size, preprocess.mean, preprocess.std)
    seconds = SoundPreprocess(rate=_RATE, max_samples=_SECONDS * _RATE, min_samples=_RATE // 40)
    return Parts(name, spec, module, seconds, parts.licence)


def _columns(levels: Tensor, count: Tensor, width: int) -> Tensor:
    """(N, L, D), of which the first `count` (N,) of L are of each clip -> (N, width, D): means over equal stretches."""
    sums = functional.pad(levels.double().cumsum(1), (0, 0, 1, 0))
    edges = torch.arange(width + 1, device=levels.device) * (count[:, None].double() / width)
    below = edges.floor().long().clamp(max=levels.shape[1])
    above = (below + 1).clamp(max=levels.shape[1])
    low, high = (sums.gather(1, at[:, :, None].expand(-1, -1, levels.shape[2])) for at in (below, above))
    at_edges = low + (high - low) * (edges - below)[:, :, None]
    stretch = (count / width)[:, None, None]
    return ((at_edges[:, 1:] - at_edges[:, :-1]) / stretch).float()
