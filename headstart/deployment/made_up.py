"""Inputs that are made up for a model whose training data is not at hand, so that an export can be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from headstart.artefact import Model
from headstart.preprocessing.table_columns import Category, Moment
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE
from headstart.tasks.audio import Clip
from headstart.tasks.task import Array

__all__ = ["made_up"]

_WORDS = (
    "the a film story was not very good bad dull bright bought phone works never again service slow friendly price "
    "high low morning train late city flood closed report number seven house water green tired happy why because"
).split()
_RATE = 16_000


def made_up(model: Model, rows: int, seed: int = 0) -> Any:
    """So many inputs of a model's modality, drawn from a seed: soft pictures, words, tones, cells, numbers.

    Cells of a table are drawn from what its encoder has learnt, every tenth of them missing or new.
    """
    rng = np.random.default_rng(seed)
    if model.modality == IMAGE:
        return [_picture(rng, row) for row in range(rows)]
    if model.modality == TABLE and model.encoder is not None:
        return _table(TableEncoder.from_state(*model.encoder), rows, rng)
    if model.modality in (TABLE, ARRAY):
        return _numbers(model, rows, rng)
    if model.modality == AUDIO:
        return [_tone(rng) for _ in range(rows)]
    return [" ".join(rng.choice(_WORDS, rng.integers(1, 30))) for _ in range(rows)]


def _picture(rng: np.random.Generator, row: int) -> Array:
    """uint8 (H, W, 3): a few soft waves of colour and grain, tall, wide or square."""
    height, width = ((256, 320), (300, 240), (224, 224))[row % 3]
    down, across = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[None, :, None]
    picture = np.full((height, width, 3), 128.0) + rng.normal(0, 8, (height, width, 3))
    for _ in range(4):
        waves, phase = rng.uniform(0.5, 6, (2, 3)), rng.uniform(0, 2 * np.pi, 3)
        picture += 32 * np.sin(2 * np.pi * (waves[0] * down + waves[1] * across) + phase)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _tone(rng: np.random.Generator) -> Clip:
    """A second or so of two tones that swell, at 16 kHz."""
    time = np.arange(int(_RATE * rng.uniform(0.5, 1.5))) / _RATE
    tones = [np.sin(2 * np.pi * pitch * time) for pitch in rng.uniform(100, 3000, 2)]
    wave = (0.2 * (tones[0] + tones[1]) * np.sin(np.pi * time / time[-1])).astype(np.float32)
    return Clip(wave=wave[:, None], rate=_RATE, channels=1, frames=len(wave))


def _numbers(model: Model, rows: int, rng: np.random.Generator) -> Array:
    """(N, D) about the middle of the training rows."""
    head = model.head
    shape = (rows, head.width)
    if "turn" in head.arrays:
        return rng.standard_normal(shape)
    return np.asarray(head.arrays["mean"] + head.arrays["scale"] * rng.standard_normal(shape))


def _table(encoder: TableEncoder, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for column in encoder.columns:
        missing = rng.random(rows) < 0.1
        if isinstance(column, Category):
            cells = rng.choice(np.array([*column.categories, "another one"], dtype=object), rows)
            columns[column.column] = np.where(missing, None, cells)
            continue
        values = column.scale.mean + column.scale.scale * rng.standard_normal(rows)
        if isinstance(column, Moment):
            columns[column.column] = pd.to_datetime(pd.Series(np.where(missing, np.nan, values)), unit="s")
        else:
            columns[column.column] = np.where(missing, np.nan, values)
    return pd.DataFrame(columns)
