"""Features by many processes: what the cache lacks is cut into parts, each part is computed by whichever process is
free, and this one keeps it in the cache as if it had computed it. Whoever reads the cache then finds everything.

    parts     whole batches in the order of the run of a single process; they do not depend on how many processes there
              are, and so neither do the features
    lost      a process that dies is started again by Ray, and given the part that it had; nothing else is lost
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.distributed.crew import Job
from headstart.distributed.feature_worker import Part, Settled, path_in
from headstart.errors import CacheError, ClusterError
from headstart.features.cache.cache import Cache
from headstart.features.cache.session import Session
from headstart.features.engines import processor
from headstart.features.engines.engine import Choice, Unfit
from headstart.features.engines.select import remember
from headstart.features.extract import Run, run_over, supply_for
from headstart.features.extraction import Extraction
from headstart.features.pictures import Pictures
from headstart.features.texts import Items
from headstart.preprocessing.preprocess import Preprocess

if TYPE_CHECKING:
    from headstart.distributed.cluster import Cluster

__all__ = ["FEW", "filled"]

FEW = 64
"""Inputs below which one process is done sooner than others are started."""
_PART, _PART_ON_DEVICE = 64, 1024
"""Inputs of a part, about: a second of a network on a core, or of ten on a GPU."""
_KEPT_AT_ONCE = 256
_UNLIMITED = 1 << 62


@contextmanager
def filled(
    cluster: Cluster,
    inputs: Sequence[Any],
    backbone: Backbone,
    extraction: Extraction,
    progress: Callable[[int, int], None] | None,
) -> Iterator[Extraction]:
    """See `features.workers.Workers`. Without a cache one is made for the length of the context.

    Raises CacheError where the cache is too small for the features, ClusterError where a process does not see the
    files, or dies again and again, and what `extract` raises.
    """
    with ExitStack() as stack:
        cache = extraction.cache
        if cache is None:
            cache = Cache(stack.enter_context(TemporaryDirectory()), limit_bytes=_UNLIMITED)
        _refuse_small(cache, backbone, len(inputs), thumbs=extraction.thumbs)
        extraction = replace(extraction, cache=cache, pixels=None, settled=_of_cluster(cluster, extraction))
        filling = _Filling(cluster, inputs, backbone, extraction, progress)
        yield replace(extraction, settled=filling.run())


class _Filling:
    """One run: the inputs that the cache lacks, and where their features go."""

    def __init__(
        self,
        cluster: Cluster,
        inputs: Sequence[Any],
        backbone: Backbone,
        extraction: Extraction,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._cluster, self._inputs, self._backbone, self._progress = cluster, inputs, backbone, progress
        self._extraction, self._session = extraction, Session(extraction.cache)
        self._supply = supply_for(backbone, len(inputs), extraction, self._session)
        self._waiting: list[Part] = []
        self._notes: dict[str, None] = {}
        self._done = 0

    def run(self) -> Choice:
        """Fill the cache; the engine that did."""
        if self._supply.choice is None:
            self._supply.provide()
        missing = self._missing(run := self._begun())
        if len(missing) >= FEW:
            parts = -(-len(missing) // _size(self._choice))
            crew = self._cluster.crew(on_gpu=self._choice.device != "cpu")
            job = crew.job(self._backbone, self._choice, len(self._inputs), thumbs=self._extraction.thumbs, parts=parts)
            if self._adopt(job.settled):
                missing = self._missing(run := self._begun())
            self._compute(job, run, missing)
        for note in (*self._notes, *self._session.finish()):
            self._cluster.listener.say(f"  {note}")
        return self._choice

    @property
    def _choice(self) -> Choice:
        return cast(Choice, self._supply.choice)

    def _begun(self) -> Run:
        return run_over(self._inputs, self._backbone, self._extraction, self._session, self._supply)

    def _missing(self, run: Run) -> list[int]:
        """Rows to be sent. Pictures in memory as Pillow holds them do not travel as they are, and are left."""
        rows = run.missing(self._extraction.lanes or processor.cores())
        if not isinstance(run, Pictures):
            return rows
        return [
            row for row in rows if path_in(self._inputs[row]) is not None or isinstance(self._inputs[row], np.ndarray)
        ]

    def _adopt(self, settled: Settled) -> bool:
        """Take the engine that the processes have; whether that is another than what was asked for."""
        if settled.agreement is not None:
            remember(settled.agreement, settled.choice, self._backbone, self._session.memory)
        if _same(settled.choice, self._choice):
            return False
        asked = self._choice
        self._supply.fall_back(Unfit(settled.notes[0] if settled.notes else f"{asked} cannot be had on the cluster"))
        if not _same(settled.choice, self._choice):
            raise ClusterError(f"the processes of the cluster calculate by {settled.choice}, not by {self._choice}")
        return True

    def _compute(self, job: Job, run: Run, missing: list[int]) -> None:
        parts = _parts(run, missing, self._backbone, job.settled)
        self._done = len(self._inputs) - len(missing)
        for at, part in job.results([[self._inputs[row] for row in rows] for rows in parts], self._tell):
            self._refuse_absent(part, parts[at])
            self._waiting.append(part)
            self._notes |= dict.fromkeys(part.notes)
            self._done += len(parts[at])
            if sum(len(each.keys) for each in self._waiting) >= _KEPT_AT_ONCE:
                self._keep(run)
        self._keep(run)
        self._tell()

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._done, len(self._inputs))

    def _keep(self, run: Run) -> None:
        """Write what waits, as the run itself would."""
        parts, self._waiting = self._waiting, []
        keys = [key for part in parts for key in part.keys]
        if not parts or self._supply.store is None:
            return
        self._supply.store.put(keys, np.concatenate([part.values for part in parts]))
        if isinstance(run, Items):
            run.cuts.put(keys, np.concatenate([cast("Any", part.truncated) for part in parts]))
            return
        thumbs = run.thumb_store if isinstance(run, Pictures) else run.sketches
        if thumbs is not None:
            thumbs.put(keys, np.concatenate([cast("Any", part.thumbs) for part in parts]))
        self._session.seen.add(sight for part in parts for sight in part.sights)

    def _refuse_absent(self, part: Part, rows: Sequence[int]) -> None:
        for row in part.absent:
            path = path_in(self._inputs[rows[row]])
            if path is not None and os.path.exists(path):
                raise ClusterError(
                    f"a machine of the cluster does not see {path}, which is here: put the data where all machines "
                    "see it under the same name, such as on a shared file system"
                )


def _of_cluster(cluster: Cluster, extraction: Extraction) -> Choice | None:
    """The GPUs of a cluster, where nothing else is asked for; None: what this machine would choose."""
    if not cluster.gpus or extraction.device not in ("auto", "cuda") or extraction.engine == "openvino":
        return extraction.settled
    precision = "float32" if extraction.precision == "float32" else "bfloat16"
    return extraction.settled or Choice("torch", cast("Any", precision), "cuda", "the cluster has GPUs")


def _parts(run: Run, missing: list[int], backbone: Backbone, settled: Settled) -> list[list[int]]:
    """Whole batches, put together to parts: those of the longest inputs first, so that none is left at the end."""
    size = _size(settled.choice)
    batches = run.planned(missing, cast(Preprocess, backbone.preprocess), settled.batch)
    parts: list[list[int]] = []
    for batch in reversed(batches):
        if not parts or len(parts[-1]) + len(batch) > size:
            parts.append([])
        parts[-1] += batch
    return parts


def _size(choice: Choice) -> int:
    return _PART if choice.device == "cpu" else _PART_ON_DEVICE


def _same(one: Choice, other: Choice) -> bool:
    """Whether they calculate alike: one GPU of a machine as another does."""
    return (*one[:2], one.device.partition(":")[0]) == (*other[:2], other.device.partition(":")[0])


def _refuse_small(cache: Cache, backbone: Backbone, rows: int, *, thumbs: bool) -> None:
    """Raises CacheError where the cache cannot hold the features."""
    size = rows * (4 * backbone.dim + 32 + (3104 if thumbs and backbone.modality.has_pixels else 0))
    if size > cache.limit_bytes:
        raise CacheError(
            f"features of {rows:,} inputs take {size / 1e9:.1f} GB, and the cache {cache.folder} keeps at most "
            f"{cache.limit_bytes / 1e9:.1f} GB: give headstart.Cache(limit_bytes=...), or fewer inputs"
        )
