"""Inputs for a model whose data are not at hand, of every size and with every gap that its preprocessing knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from headstart.artefact.model import Model
from headstart.heads.layers import LEAF
from headstart.methods.answers import encoder_of
from headstart.preprocessing.numbers import NumberPreprocess
from headstart.preprocessing.sound import SoundPreprocess
from headstart.preprocessing.table_columns import Category, Moment
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.preprocessing.table_preprocess import TablePreprocess
from headstart.preprocessing.term_encoder import TermEncoder
from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE, TEXT
from headstart.tasks.audio import Clip
from headstart.tasks.task import Array, Task

__all__ = ["made_up"]

_SIDES = (8, 400)
_TEXT = (
    "the film was better than expected and its ending worth waiting for it stopped working after two weeks nobody "
    "answered a bridge over river closed on Monday because of flood good value bad 42 € naïve 电影 прекрасно !"
)
_LONGEST = 60
_SECONDS = 1.0
_GAP = 0.1


def made_up(model: Model, rows: int) -> Task:
    """So many inputs, the same at every call."""
    rng = np.random.default_rng(0)
    inputs = _BY_MODALITY[model.modality](model, rows, rng)
    names = [f"made-up row {row}" for row in range(rows)]
    return Task(
        inputs=inputs, targets=None, kind=model.kind, modality=model.modality, classes=model.classes, names=names
    )


def _pictures(model: Model, rows: int, rng: np.random.Generator) -> list[Array]:
    """Soft colours with some grain, upright and across."""
    pictures = []
    for height, width in rng.integers(*_SIDES, (rows, 2)).tolist():
        coarse = rng.uniform(0, 255, (5, 5, 3))
        down, across = (np.linspace(0, 4, side).round().astype(int) for side in (height, width))
        picture = coarse[down][:, across] + rng.normal(0, 12, (height, width, 3))
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    return pictures


def _texts(model: Model, rows: int, rng: np.random.Generator) -> list[str]:
    encoder = encoder_of(model)
    words = [*(encoder.terms if isinstance(encoder, TermEncoder) else ()), *_TEXT.split()]
    lengths = rng.integers(1, _LONGEST, rows).tolist()
    return [" ".join(words[at] for at in rng.integers(0, len(words), length)) for length in lengths]


def _sounds(model: Model, rows: int, rng: np.random.Generator) -> list[Clip]:
    form = None if model.backbone is None else model.backbone.preprocess
    rate = form.rate if isinstance(form, SoundPreprocess) else 16_000
    clips = []
    for seconds in rng.uniform(0.1, 2 * _SECONDS, rows).tolist():
        at = np.arange(max(1, round(seconds * rate))) / rate
        tone = 0.2 * np.sin(2 * np.pi * rng.uniform(80, 2000) * at) + rng.normal(0, 0.01, len(at))
        clips.append(Clip(wave=tone.astype(np.float32)[:, None], rate=rate, channels=1, frames=len(at)))
    return clips


def _tables(model: Model, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    form = None if model.backbone is None else model.backbone.preprocess
    encoder = form.learnt if isinstance(form, TablePreprocess) else encoder_of(model)
    if not isinstance(encoder, TableEncoder):
        raise ValueError("a model of tables without an encoder of columns")
    return pd.DataFrame({column.column: _cells(column, rows, rng) for column in encoder.columns})


def _cells(column: Any, rows: int, rng: np.random.Generator) -> Any:
    gaps = rng.random(rows) < _GAP
    if isinstance(column, Category):
        words = np.array([*column.categories, "a word that no row had"], dtype=object)
        cells = words[rng.integers(0, len(words), rows)]
        cells[gaps] = None
        return cells
    values = column.scale.mean + 2 * column.scale.scale * rng.standard_normal(rows)
    if isinstance(column, Moment):
        times = pd.to_datetime(pd.Series(np.clip(values, -9e9, 9e9)), unit="s", utc=True)
        return times.mask(pd.Series(gaps)).dt.strftime("%Y-%m-%dT%H:%M:%S")
    return np.where(gaps, np.nan, values)


def _arrays(model: Model, rows: int, rng: np.random.Generator) -> Array:
    arrays, form = model.head.arrays, None if model.backbone is None else model.backbone.preprocess
    if isinstance(form, NumberPreprocess):
        mean, scale = np.array(form.mean), np.array(form.scale)
    elif "trees" in arrays:
        return _about_thresholds(arrays["trees"], len(arrays["mean"]), rows, rng)
    elif "turn" in arrays:
        mean, scale = np.zeros(model.head.width), np.ones(model.head.width)
    else:
        mean, scale = arrays["mean"], arrays["scale"]
    return np.asarray(mean + 2 * scale * rng.standard_normal((rows, len(mean))))


def _about_thresholds(trees: Array, width: int, rows: int, rng: np.random.Generator) -> Array:
    """Numbers at and near what the trees ask for."""
    columns = np.zeros((rows, width))
    nodes = trees.reshape(-1, 5)
    for column in range(width):
        asked = nodes[(nodes[:, 0] != LEAF) & (nodes[:, 0] == column), 1]
        if len(asked):
            columns[:, column] = rng.choice(asked, rows) + rng.normal(0, np.ptp(asked) / 10 + 1e-6, rows)
    return columns


_BY_MODALITY: dict[str, Callable[[Model, int, np.random.Generator], Any]] = {
    IMAGE: _pictures,
    TEXT: _texts,
    AUDIO: _sounds,
    TABLE: _tables,
    ARRAY: _arrays,
}
