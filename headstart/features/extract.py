"""The one forward pass: inputs and a frozen backbone in, features out, cached by content."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.data.bit_depth import Window
from headstart.defaults import with_own_defaults
from headstart.errors import BackboneError
from headstart.features.cache.session import Session
from headstart.features.engines import processor
from headstart.features.engines.device_errors import device_errors
from headstart.features.engines.engine import EngineUsed, Unfit
from headstart.features.engines.provider import Supply
from headstart.features.engines.wish import Wish
from headstart.features.extraction import Extraction
from headstart.features.features import Failed, Features
from headstart.features.pictures import Pictures, open_thumbs
from headstart.features.quiet import quiet
from headstart.features.sounds import Sounds, open_sketches
from headstart.features.texts import Items
from headstart.features.unknown import unknown_share
from headstart.features.workers import using, workers
from headstart.linalg.torch_threads import one_torch_thread
from headstart.preprocessing.sound import SoundPreprocess
from headstart.preprocessing.spec import PicturePreprocess
from headstart.tasks import AUDIO, IMAGE, TEXT
from headstart.tasks.task import Array

__all__ = [
    "Extraction",
    "Features",
    "Progress",
    "Run",
    "extract",
    "extract_in",
    "make_ready",
    "run_over",
    "sketches",
    "supply_for",
    "thumbnails",
]

Run = Pictures | Items | Sounds

Progress = Callable[[int, int], None]
"""Called with (inputs done, inputs in all), in the caller's thread."""


_PLAIN = Extraction()


@with_own_defaults
def extract(
    inputs: Sequence[Any], backbone: Backbone, extraction: Extraction = _PLAIN, progress: Progress | None = None
) -> Features:
    """The backbone's features of all inputs that can be read.

    inputs   pictures (paths, bytes of files, PIL pictures, uint8 arrays (H, W[, C])), strings or recordings (`Clip`),
             as the backbone's modality asks

    What cannot be read is named in `failed`. `ValueError` for a backbone without a network (tables, arrays). An
    interrupted call has kept what it finished: the next one goes on from there, to the same features. `BackboneError`
    where a GPU has too little memory even for a single input, or fails in the middle.
    """
    if backbone.module is None or backbone.preprocess is None:
        raise ValueError(
            f"{backbone.name} has no network to run: the features of a {backbone.modality} are its columns themselves"
        )
    start = time.perf_counter()
    those = workers()
    if those is not None and not backbone.modality.has_columns:
        with those.filled(inputs, backbone, extraction, progress) as extraction, using(None):
            return replace(extract(inputs, backbone, extraction), seconds=time.perf_counter() - start)
    with quiet():
        features = extract_in(Session(extraction.cache), inputs, backbone, extraction, progress)
        measure = UNKNOWN.get(backbone.modality)
        unknown = None if measure is None else measure(inputs, backbone.preprocess)
    return replace(features, unknown=unknown, seconds=time.perf_counter() - start)


def extract_in(
    session: Session,
    inputs: Sequence[Any],
    backbone: Backbone,
    extraction: Extraction,
    progress: Callable[[int, int], None] | None = None,
) -> Features:
    """The same within a session of the cache, which it ends."""
    start = time.perf_counter()
    supply = supply_for(backbone, len(inputs), extraction, session)
    if extraction.cache is None:  # then all of them are to be computed
        supply.take_kept()
    with device_errors(supply.device, BackboneError, _kept_until_then(extraction)):
        run = _run_or_fall_back(inputs, backbone, extraction, session, supply, progress)
    return _features(run, supply.used(), (*supply.notes, *session.finish()), start)


def make_ready(backbone: Backbone, keys: Sequence[bytes], extraction: Extraction) -> None:
    """Set up on a CPU, and check, the engine by which `extract` will run a backbone over inputs of these content keys;
    it is kept as long as the backbone's module is.

    Nothing is done where all their features are held already, where the engine has to be chosen by timing several,
    beside which nothing may run, and on a GPU. For a thread of its own: what else runs calculates meanwhile.
    """
    with quiet(), one_torch_thread():
        supply = supply_for(backbone, len(keys), extraction, Session(extraction.cache))
        store = supply.store
        if supply.choice is None or supply.on_device or (store is not None and all(key in store for key in keys)):
            return
        with suppress(Unfit):  # `extract` finds out too, falls back and says why
            supply.provide()


def supply_for(backbone: Backbone, rows: int, extraction: Extraction, session: Session) -> Supply:
    """The engine of a run over so many inputs."""
    wish = Wish(extraction.engine, extraction.precision, extraction.device)
    if backbone.modality.has_columns:  # too little to calculate for an engine of another kind
        wish = Wish("torch", "float32", extraction.device)
    return Supply(backbone, rows, wish, extraction.lanes or processor.cores(), session, extraction.settled)


@with_own_defaults
def thumbnails(
    inputs: Sequence[Any],
    extraction: Extraction = _PLAIN,
    progress: Progress | None = None,
    *,
    window: Window | None = None,
) -> Features:
    """The same lanes over pictures without a backbone: keys, thumbnails, and what cannot be read.

    window   as in `PicturePreprocess`
    """
    start = time.perf_counter()
    with quiet():
        session = Session(extraction.cache)
        run = Pictures(inputs, session, supply=None, dim=0, thumbs=open_thumbs(session, window), window=window)
        run.run(None, extraction.lanes or processor.cores(), progress)
        notes = session.finish()
    return _features(run, None, notes, start)


@with_own_defaults
def sketches(inputs: Sequence[Any], extraction: Extraction = _PLAIN, progress: Progress | None = None) -> Features:
    """The same over recordings without a backbone: keys, sketches (`data.sound_sketch`), and what cannot be read."""
    start = time.perf_counter()
    with quiet():
        session = Session(extraction.cache)
        run = Sounds(inputs, session, supply=None, backbone=None, sketches=open_sketches(session), preprocess=None)
        run.run(None, extraction.lanes or processor.cores(), progress)
        notes = session.finish()
    return _features(run, None, notes, start)


def _run_or_fall_back(
    inputs: Sequence[Any],
    backbone: Backbone,
    extraction: Extraction,
    session: Session,
    supply: Supply,
    progress: Progress | None,
) -> Run:
    while True:
        try:
            return _run(inputs, backbone, extraction, session, supply, progress)
        except Unfit as error:
            supply.fall_back(error)


def _kept_until_then(extraction: Extraction) -> str:
    """Where a device fails in the middle."""
    if extraction.cache is None:
        return "without a cache nothing is kept of what was computed"
    return (
        f"what was computed until then is kept in the cache ({extraction.cache.folder}), and the same command goes on "
        "from there"
    )


def _run(
    inputs: Sequence[Any],
    backbone: Backbone,
    extraction: Extraction,
    session: Session,
    supply: Supply,
    progress: Progress | None,
) -> Run:
    run = run_over(inputs, backbone, extraction, session, supply)
    run.run(backbone.preprocess, extraction.lanes or processor.cores(), progress)
    return run


def run_over(
    inputs: Sequence[Any], backbone: Backbone, extraction: Extraction, session: Session, supply: Supply
) -> Run:
    """The run over these inputs, which has not begun."""
    if backbone.modality in RUNS:
        return RUNS[backbone.modality](inputs, backbone, extraction, session, supply)
    return Items(inputs, session, supply, backbone)


def _pictures(
    inputs: Sequence[Any], backbone: Backbone, extraction: Extraction, session: Session, supply: Supply
) -> Run:
    preprocess = cast(PicturePreprocess, backbone.preprocess)
    thumbs = open_thumbs(session, preprocess.window) if extraction.thumbs else None
    return Pictures(
        inputs,
        session,
        supply=supply,
        dim=backbone.dim,
        thumbs=thumbs,
        window=preprocess.window,
        pixels=extraction.pixels,
    )


def _sounds(inputs: Sequence[Any], backbone: Backbone, extraction: Extraction, session: Session, supply: Supply) -> Run:
    held = open_sketches(session) if extraction.thumbs else None
    preprocess = cast(SoundPreprocess, backbone.preprocess)
    return Sounds(inputs, session, supply=supply, backbone=backbone, sketches=held, preprocess=preprocess)


RUNS: dict[str, Callable[..., Run]] = {IMAGE: _pictures, AUDIO: _sounds}
"""By modality, one run over inputs that are read in a way of their own. None: `texts.Items`."""

UNKNOWN: dict[str, Callable[[Sequence[Any], Any], float]] = {TEXT: unknown_share}
"""By modality, how much of some inputs a backbone does not know. None: that is not told."""


def _features(run: Run, engine: EngineUsed | None, notes: tuple[str, ...], start: float) -> Features:
    rows = np.array([row for row in range(len(run.inputs)) if row not in run.why], np.int64)
    return Features(
        values=_kept(run.values, rows),
        rows=rows,
        keys=[run.keys[row] for row in rows],
        failed=tuple(Failed(row, run.why[row]) for row in sorted(run.why)),
        thumbs=None if run.thumbs is None else _kept(run.thumbs, rows),
        truncated=None if run.cut is None else run.cut[rows],
        engine=engine,
        computed=run.computed,
        notes=notes,
        seconds=time.perf_counter() - start,
    )


def _kept(array: Array, rows: Array) -> Array:
    """array[rows] for ascending rows, in the same memory."""
    if len(rows) == len(array):
        return array
    for at in range(0, len(rows), 1024):
        some = rows[at : at + 1024]
        array[at : at + len(some)] = array[some]
    return array[: len(rows)]
