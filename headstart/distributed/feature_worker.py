"""What each process does that extracts features: the same engine at the same precision, part by part."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from headstart.backbones.backbone import Backbone
from headstart.features.cache.files import SeenFiles, Sight
from headstart.features.cache.session import Session
from headstart.features.engines.engine import Agreement, Choice, Rows, Unfit
from headstart.features.extract import extract_in, supply_for
from headstart.features.extraction import Extraction
from headstart.features.features import Failed, Ints
from headstart.features.quiet import quiet
from headstart.tasks.task import Array

__all__ = ["FeatureWorker", "Part", "Recipe", "Settled", "path_in"]


class Settled(NamedTuple):
    """The engine that a process has got ready: which, the batch that it takes, and how well it agrees with torch."""

    choice: Choice
    batch: int
    agreement: Agreement | None
    notes: tuple[str, ...]


class Part(NamedTuple):
    """Features of some inputs, as in `Features`; rows are positions in the part.

    sights   of the files that were read, for the cache
    absent   rows whose file is not there, on the machine of the process
    notes    what the engine could not do, in words
    """

    values: Rows
    rows: Ints
    keys: list[bytes]
    failed: tuple[Failed, ...]
    thumbs: Array | None
    truncated: Ints | None
    sights: list[Sight]
    absent: list[int]
    notes: tuple[str, ...]


class _Collected(SeenFiles):
    """Files that were seen, for another process to remember."""

    def __init__(self) -> None:
        super().__init__(None, lambda error: None)
        self.sights: list[Sight] = []

    def add(self, sights: Iterable[Sight]) -> None:
        self.sights += sights


class Recipe(NamedTuple):
    """How a run computes features.

    shared   where Ray holds the backbone, once for all processes: a list of that alone, since Ray would unpack it
             itself, for each part anew
    choice   the engine that is asked for
    rows     how many inputs there are in all
    thumbs   whether pictures and recordings get their thumbnails, too
    lanes    threads of each process: one on a CPU, so that every process is the same
    """

    shared: list[Any]
    choice: Choice
    rows: int
    thumbs: bool
    lanes: int


class FeatureWorker:
    """A process of a cluster. It loads the backbone of a recipe once, and again where it was started anew."""

    def __init__(self) -> None:
        self._shared: list[Any] = []
        self._loaded: Backbone | None = None

    def _backbone(self, recipe: Recipe) -> Backbone:
        import ray

        if self._loaded is None or self._shared != recipe.shared:
            self._loaded = None  # one at a time
            self._loaded, self._shared = ray.get(recipe.shared[0]), recipe.shared
        return self._loaded

    def settled(self, recipe: Recipe) -> Settled:
        """Get the engine ready: the one that was asked for, or what takes its place here."""
        with quiet():
            supply = supply_for(self._backbone(recipe), recipe.rows, _extraction(recipe), Session(None))
            try:
                supply.provide()
            except Unfit as error:
                supply.fall_back(error)
                supply.provide()
            used = supply.used()
        choice = Choice(used.name, used.precision, used.device, used.why)
        return Settled(choice, used.batch, used.agreement, tuple(supply.notes))

    def part(self, recipe: Recipe, inputs: Sequence[Any]) -> Part:
        """The features of some inputs. Raises what `extract` does."""
        session, seen = Session(None), _Collected()
        session.seen = seen
        with quiet():
            features = extract_in(session, inputs, self._backbone(recipe), _extraction(recipe))
        return Part(
            features.values,
            features.rows,
            features.keys,
            features.failed,
            features.thumbs,
            features.truncated,
            seen.sights,
            [failed.row for failed in features.failed if _is_absent(inputs[failed.row])],
            features.notes,
        )


def _extraction(recipe: Recipe) -> Extraction:
    return Extraction(lanes=recipe.lanes, cache=None, thumbs=recipe.thumbs, settled=recipe.choice)


def path_in(item: Any) -> str | None:
    """The path of the file that an input is, or lies in; None for what is in memory."""
    path = getattr(item, "path", item)
    return str(path) if isinstance(path, str | os.PathLike) else None


def _is_absent(item: Any) -> bool:
    path = path_in(item)
    return path is not None and not os.path.exists(path)
