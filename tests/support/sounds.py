"""Made-up sounds for tests, and batches of them."""

from __future__ import annotations

import numpy as np
import torch


def clip(seconds: float, seed: int = 0, rate: int = 16000) -> np.ndarray:
    """A gliding tone that swells, over some noise, float32 (T,)."""
    rng = np.random.default_rng(seed)
    at = np.arange(int(seconds * rate)) / rate
    tone = np.sin(2 * np.pi * rng.uniform(200, 900) * at * (1 + rng.uniform(0.1, 0.5) * at))
    return (0.3 * tone * np.hanning(len(at)) + rng.normal(0, 0.02, len(at))).astype(np.float32)


def batch(*clips: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Waves (N, T) with zeros behind the shorter ones, and how many samples each has, (N,)."""
    waves = torch.zeros(len(clips), max(map(len, clips)))
    for row, wave in zip(waves, clips, strict=True):
        row[: len(wave)] = torch.from_numpy(wave)
    return waves, torch.tensor([len(wave) for wave in clips])


def features(module: torch.nn.Module, *clips: np.ndarray) -> np.ndarray:
    """What a backbone's module makes of them, (N, D)."""
    with torch.inference_mode():
        return module(*batch(*clips)).numpy()
