"""A small network for recordings: power in bands, a layer, and the mean over the frames that are the recording's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.backbones.fingerprint import fingerprint
from headstart.preprocessing.sound import SoundPreprocess

FRAME, HOP = 256, 128


class Spectral(nn.Module):
    """(waves (N, T), samples (N,)) -> (N, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(FRAME), persistent=False)
        self.first = nn.Linear(FRAME // 2 + 1, 32)
        self.last = nn.Linear(32, width)

    def forward(self, waves: Tensor, samples: Tensor) -> Tensor:
        spectrum = torch.stft(waves, FRAME, HOP, window=self.window, center=False, return_complex=True)
        x = self.last(torch.relu(self.first(torch.log(spectrum.abs().square().transpose(1, 2) + 1e-4))))
        frames = (samples - FRAME) // HOP + 1
        heard = (torch.arange(x.shape[1]) < frames[:, None]).to(x.dtype)[:, :, None]
        return (x * heard).sum(dim=1) / heard.sum(dim=1)


def backbone(*, rate: int = 16000, seconds: float = 1.0, width: int = 24, seed: int = 0) -> Backbone:
    """With weights that were drawn."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = Spectral(width).eval()
    preprocess = SoundPreprocess(rate=rate, max_samples=round(seconds * rate), min_samples=rate // 10)
    spec = {"hub": "spectral", "width": width}
    return Backbone(
        name=f"spectral:{seed}", modality=preprocess.modality, module=module, dim=width, preprocess=preprocess,
        fingerprint=fingerprint(module, preprocess, spec), spec=spec,
    )  # fmt: skip
