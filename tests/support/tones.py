"""Sounds that tests write: tones of known pitch, in files of every kind that libsndfile writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE = 16000


def tone(pitch: float, seconds: float = 1.0, rate: int = RATE, *, loud: float = 0.3, seed: int = 0) -> np.ndarray:
    """A tone of some harmonics that fades in and out, with a little noise: float32 (T,)."""
    at = np.arange(round(seconds * rate)) / rate
    rng = np.random.default_rng(seed)
    wave = sum(np.sin(2 * np.pi * pitch * k * at + rng.uniform(0, 6)) / k for k in (1, 2, 3) if pitch * k < rate / 2)
    fade = np.sin(np.pi * np.linspace(0, 1, len(at))) ** 0.5
    return (loud * fade * wave / 1.8 + rng.normal(0, 0.001, len(at))).astype(np.float32)


def write(path: Path, wave: np.ndarray, rate: int = RATE, **options: Any) -> Path:
    """A sound file; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, rate, **options)
    return path


def melody(pitch: float, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Four tones about a pitch, each of its own length and loudness: float32 (T,)."""
    lengths = seconds * rng.dirichlet(np.full(4, 8.0))
    notes = [
        tone(pitch * rng.uniform(0.7, 1.4), length, rate, loud=rng.uniform(0.05, 0.5), seed=int(rng.integers(1 << 30)))
        for length in lengths
    ]
    return np.concatenate(notes)


def words(folder: Path, *, each: int = 12, rate: int = RATE, suffix: str = ".wav", seconds: float = 0.5) -> Path:
    """Two classes of melodies, `folder`/low and `folder`/high; names do not look like parts of one recording."""
    rng = np.random.default_rng(0)
    for name, pitch in (("low", 200.0), ("high", 900.0)):
        for number in range(each):
            letters = f"{chr(97 + number // 26)}{chr(97 + number % 26)}"
            wave = melody(pitch, seconds * rng.uniform(0.7, 1.4), rate, rng)
            write(folder / name / f"{letters}{suffix}", wave, rate)
    return folder
