"""The rows of a task as the tensors that an exported model takes, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from headstart.deployment.formats.cells import CellColumn
from headstart.deployment.formats.reading import Reading
from headstart.features.picture_input import Source
from headstart.preprocessing.numbers import NumberPreprocess
from headstart.preprocessing.sound import SoundPreprocess
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess
from headstart.preprocessing.table_cells import moments, numbers, texts
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.preprocessing.term_encoder import TermEncoder
from headstart.tasks.task import Array, Task

__all__ = ["BATCH", "batches", "cells_of", "feeds"]

BATCH = 8
_DRAFT = 256

Feeds = dict[str, Array]


def batches(task: Task, readings: Sequence[Reading]) -> Iterator[tuple[int, Feeds]]:
    """How many rows, and what the model takes of them, by name. Pictures, which differ in size, come one by one."""
    size = 1 if task.modality.has_pixels else BATCH
    for start in range(0, len(task), size):
        part = task.take(np.arange(start, min(start + size, len(task))))
        yield len(part), feeds(part, readings)


def feeds(task: Task, readings: Sequence[Reading]) -> Feeds:
    """What the model takes of these rows, by name."""
    made: Feeds = {}
    for reading in readings:
        make = _FEEDS.get(type(reading.form), _columns)
        made |= make(task.inputs, reading)
    return made


def _pictures(inputs: Any, reading: Reading) -> Feeds:
    form: PicturePreprocess = reading.form
    pictures = [Source(item).decode(draft=form.resize <= _DRAFT, window=form.window) for item in inputs]
    return {reading.inputs[0]: np.stack([picture.permute(1, 2, 0).numpy() for picture in pictures])}


def _texts(inputs: Any, reading: Reading) -> Feeds:
    form: TextPreprocess = reading.form
    return dict(zip(reading.inputs, form.collate([form.prepare(text)[0] for text in inputs]), strict=True))


def _sounds(inputs: Any, reading: Reading) -> Feeds:
    form: SoundPreprocess = reading.form
    windows = [list(form.windows(clip)) for clip in inputs]
    waves, samples = form.collate([window.wave for clip in windows for window in clip])
    if reading.of_one_length:
        waves = np.pad(waves, ((0, 0), (0, form.max_samples - waves.shape[1])))
    share = np.zeros((len(windows), len(waves)), np.float32)
    at = 0
    for row, clip in zip(share, windows, strict=True):
        fresh = np.array([window.fresh for window in clip], np.float64)
        row[at : at + len(clip)] = fresh / fresh.sum()
        at += len(clip)
    return dict(zip(reading.inputs, (waves, samples, share), strict=True))


def _cells(inputs: Any, reading: Reading) -> Feeds:
    return cells_of(inputs, reading.columns)


def cells_of(frame: Any, columns: Sequence[CellColumn]) -> Feeds:
    """By the name of its input each column: numbers and seconds float64 with NaN, categories text with a mark."""
    labels = {str(label): label for label in frame.columns}
    read: dict[str, Callable[[Any], Array]] = {"number": numbers, "moment": moments}
    made: Feeds = {}
    for column in columns:
        cells = frame[labels[column.column]]
        if column.kind == "category":
            mark = column.missing_is
            made[column.input] = np.array([mark if text is None else text for text in texts(cells)], dtype=object)
        else:
            made[column.input] = read[column.kind](cells)
    return made


def _terms(inputs: Any, reading: Reading) -> Feeds:
    encoder: TermEncoder = reading.form
    return {reading.inputs[0]: np.asarray(encoder.transform(inputs).toarray())}


def _columns(inputs: Any, reading: Reading) -> Feeds:
    return {reading.inputs[0]: np.asarray(inputs, np.float64)}


_FEEDS: dict[type, Callable[[Any, Reading], Feeds]] = {
    PicturePreprocess: _pictures,
    TextPreprocess: _texts,
    SoundPreprocess: _sounds,
    TableEncoder: _cells,
    TermEncoder: _terms,
    NumberPreprocess: _columns,
}
