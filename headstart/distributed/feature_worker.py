"""What each process does that extracts features: the same engine at the same precision, on one thread, part by part."""

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

__all__ = ["FeatureWorker", "Part", "Settled", "path_in"]


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


class FeatureWorker:
    """A backbone and its engine in a process of a cluster.

    shared   where Ray holds the backbone, once for all processes: a list of that alone, since Ray would warn of what
             it unpacks itself
    choice   the engine that is asked for
    rows     how many inputs there are in all
    thumbs   whether pictures and recordings get their thumbnails, too
    """

    def __init__(self, shared: list[Any], choice: Choice, rows: int, *, thumbs: bool) -> None:
        import ray

        self._backbone: Backbone = ray.get(shared[0])
        self._rows = rows
        self._extraction = Extraction(lanes=1, cache=None, thumbs=thumbs, settled=choice)

    def settled(self) -> Settled:
        """Get the engine ready: the one that was asked for, or what takes its place here."""
        with quiet():
            session = Session(None)
            supply = supply_for(self._backbone, self._rows, self._extraction, session)
            try:
                supply.provide()
            except Unfit as error:
                supply.fall_back(error)
                supply.provide()
            used = supply.used()
        choice = Choice(used.name, used.precision, used.device, used.why)
        return Settled(choice, used.batch, used.agreement, tuple(supply.notes))

    def part(self, inputs: Sequence[Any]) -> Part:
        """The features of some inputs. Raises what `extract` does; BackboneError where the engine is another."""
        session, seen = Session(None), _Collected()
        session.seen = seen
        with quiet():
            features = extract_in(session, inputs, self._backbone, self._extraction)
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

    def process(self) -> int:
        """Its number on its machine."""
        return os.getpid()


def path_in(item: Any) -> str | None:
    """The path of the file that an input is, or lies in; None for what is in memory."""
    path = getattr(item, "path", item)
    return str(path) if isinstance(path, str | os.PathLike) else None


def _is_absent(item: Any) -> bool:
    path = path_in(item)
    return path is not None and not os.path.exists(path)
