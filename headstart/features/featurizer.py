"""The features of a few pictures at a time, for whoever is asked for them over and over: what `extract` gives them
without a cache, by an engine that is ready, in the thread of the caller. Nothing is settled, looked up or kept."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
import torch

from headstart.backbones.backbone import Backbone
from headstart.defaults import with_own_defaults
from headstart.errors import DataError
from headstart.features.cache.session import Session
from headstart.features.engines.engine import Rows
from headstart.features.engines.recorded import last_engine
from headstart.features.engines.rescue import RescuedEngine
from headstart.features.extract import supply_for
from headstart.features.extraction import Extraction
from headstart.features.picture_input import Source, drafted
from headstart.features.quiet import quiet
from headstart.linalg.torch_threads import one_torch_thread
from headstart.preprocessing.prepare import prepare
from headstart.preprocessing.spec import PicturePreprocess

__all__ = ["PictureFeaturizer", "picture_featurizer"]


class PictureFeaturizer:
    """Of one backbone; calls of several threads wait for each other.

    engine   not a GPU
    dim      D, the width of its features
    """

    def __init__(self, engine: RescuedEngine, preprocess: PicturePreprocess, dim: int) -> None:
        self._run, self._shortest = engine.lane(), engine.lengths[0]
        self._preprocess, self._dim = preprocess, dim
        self._pixels = np.zeros((engine.batch, *preprocess.size, 3), np.uint8)
        self._lock = Lock()

    @with_own_defaults
    def __call__(self, pictures: Sequence[Any]) -> tuple[Rows, dict[int, str]]:
        """Pictures as `extract` takes them -> (n, D) features of those that can be read, in their order; and by place,
        why others cannot."""
        with self._lock, quiet(), one_torch_thread(), torch.inference_mode():
            return self._features(pictures)

    def _features(self, pictures: Sequence[Any]) -> tuple[Rows, dict[int, str]]:
        rows: Rows = np.empty((len(pictures), self._dim), np.float32)
        failed: dict[int, str] = {}
        done = waiting = 0
        for place, picture in enumerate(pictures):
            try:
                self._pixels[waiting] = self._prepared(picture)
            except DataError as error:
                failed[place] = str(error)
                continue
            waiting += 1
            if waiting == len(self._pixels):
                rows[done : done + waiting] = self._run(self._pixels)
                done, waiting = done + waiting, 0
        self._pixels[waiting:] = 0
        for at in range(0, waiting, self._shortest):
            some = min(self._shortest, waiting - at)
            rows[done : done + some] = self._run(self._pixels[at : at + self._shortest])[:some]
            done += some
        return rows[:done], failed

    def _prepared(self, picture: Any) -> Any:
        preprocess = self._preprocess
        decoded = Source(picture).decode(draft=drafted(preprocess), window=preprocess.window)
        return prepare(decoded, preprocess)


def picture_featurizer(backbone: Backbone, extraction: Extraction) -> PictureFeaturizer | None:
    """By the engine that such an extraction used last. None where there is none yet, where it is a GPU, whose batches
    are under way beside each other, where features are kept or more than features wanted, and for anything but
    pictures."""
    preprocess, last = backbone.preprocess, last_engine(backbone)
    if not isinstance(preprocess, PicturePreprocess) or extraction.cache is not None or extraction.thumbs:
        return None
    if last is None or last.flight:
        return None
    supply = supply_for(backbone, 1, extraction, Session(None))
    supply.take_kept()
    if supply.engine is None:
        return None
    return PictureFeaturizer(supply.engine, preprocess, backbone.dim)
