"""Recordings cut into the windows that a model hears, each an input of its own, with its times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np

from headstart.artefact.model import Model
from headstart.preprocessing.sound import SoundPreprocess
from headstart.tasks.audio import Clip
from headstart.tasks.task import Task

__all__ = ["windowed", "windows_of"]


def windows_of(model: Model, length: float | str) -> SoundPreprocess:
    """The preprocessing of a model with windows of so many seconds, or "auto". ValueError for a model that hears none,
    and for a length that its backbone does not take."""
    preprocess = None if model.backbone is None else model.backbone.preprocess
    if not isinstance(preprocess, SoundPreprocess):
        raise ValueError(
            "windows are for a model whose backbone hears recordings; this one answers "
            f"{model.modality.noun} as a whole"
        )
    if length == "auto":
        return preprocess
    least, most = preprocess.min_samples / preprocess.rate, preprocess.max_samples / preprocess.rate
    try:
        seconds = float(length)
    except ValueError:
        seconds = 0.0
    if not least <= seconds <= most:
        raise ValueError(f"windows of {length!r:.20} s: expected {least:.3g} to {most:.3g}, or 'auto'")
    return replace(preprocess, max_samples=round(seconds * preprocess.rate))


def windowed(task: Task, form: SoundPreprocess) -> tuple[Task, Mapping[int, tuple[float, float]]]:
    """The task of all windows in their order, named as their recordings, and by place from where to where in its file
    each is, in seconds. The last of a recording ends where it ends."""
    places = task.positions.tolist()
    lost = {item.place: item for item in task.set_aside if item.place is not None}
    inputs = cast("list[Clip]", task.inputs)
    clips: list[Clip] = []
    rows: list[int] = []
    at: list[int] = []
    aside = [item for item in task.set_aside if item.place is None]
    place = 0
    by_place = dict(zip(places, range(len(task)), strict=True))
    for number in sorted([*by_place, *lost]):
        if number in lost:
            aside.append(lost[number]._replace(place=place))
            place += 1
            continue
        for clip in _windows(inputs[by_place[number]], form):
            clips.append(clip)
            rows.append(by_place[number])
            at.append(place)
            place += 1
    spans = {number: _span(clip) for number, clip in zip(at, clips, strict=True)}
    cut = replace(task.take(rows), inputs=clips, places=np.array(at, np.int64), set_aside=tuple(aside))
    return cut, spans


def _windows(clip: Clip, form: SoundPreprocess) -> list[Clip]:
    """In frames of the recording; one that is no longer than a window stays as it is."""
    size = max(1, round(form.max_samples * clip.rate / form.rate))
    if clip.length <= size:
        return [clip]
    starts = [*range(0, clip.length - size, size), clip.length - size]
    return [replace(clip, start=clip.start + start, stop=clip.start + start + size) for start in starts]


def _span(clip: Clip) -> tuple[float, float]:
    start = clip.start / clip.rate
    return round(start, 6), round(start + clip.seconds, 6)
