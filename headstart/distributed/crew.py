"""Processes that hold a backbone each, and are given parts as they become free."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from headstart.backbones.backbone import Backbone
from headstart.distributed.feature_worker import FeatureWorker, Part, Settled
from headstart.distributed.tasks import raised
from headstart.errors import ClusterError
from headstart.features.engines.engine import Choice

if TYPE_CHECKING:
    from headstart.distributed.cluster import Cluster

__all__ = ["RESTARTS", "Crew"]

RESTARTS = 8
"""How often a process is started again, and a part given anew, before the run ends."""
_AHEAD = 2
"""Parts that a process has, one of which waits while it calculates the other."""
_TICK = 0.1


class Crew:
    """As many as there are cores, or GPUs, and at most `most`. Use it as a context, which ends them.

    settled   the engine that all of them have
    """

    settled: Settled

    def __init__(
        self, cluster: Cluster, backbone: Backbone, choice: Choice, rows: int, thumbs: bool, most: int
    ) -> None:
        ray, on_gpu = cluster.ray, choice.device != "cpu"
        if on_gpu and not cluster.gpus:
            raise ClusterError(f"{choice} was asked for, and the cluster has no GPU: leave --device out")
        self._ray, self._count = ray, min(most, cluster.gpus if on_gpu else cluster.cores)
        needs = {"num_cpus": 1, "num_gpus": 1 if on_gpu else 0}
        restarts = {"max_restarts": RESTARTS, "max_task_retries": RESTARTS}
        self._kind = ray.remote(**needs, **restarts)(FeatureWorker)
        bare = replace(backbone, random=None, classifier=None)  # functions of this process, which no part asks for
        choice = choice._replace(device="cuda") if on_gpu else choice
        self._arguments = ([ray.put(bare)], choice, rows)
        self._thumbs = thumbs
        self.actors: list[Any] = []

    def __enter__(self) -> Self:
        self.actors = [self._kind.remote(*self._arguments, thumbs=self._thumbs) for _ in range(self._count)]
        try:
            told = [self._got(actor.settled.remote()) for actor in self.actors]
        except BaseException:
            self._end()
            raise
        self.settled = told[0]
        others = {str(each.choice) for each in told}
        if len(others) > 1:
            self._end()
            raise ClusterError(
                f"the machines of the cluster differ: {' and '.join(sorted(others))}; name an engine that all have, "
                "such as --engine torch"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._end()

    def results(self, parts: Sequence[Sequence[Any]], tell: Callable[[], None]) -> Iterator[tuple[int, Part]]:
        """(number, features) of each part, as they come; `tell` is called some times a second meanwhile."""
        waiting = deque(range(len(parts)))
        under_way: dict[Any, tuple[int, Any]] = {}
        free = deque(self.actors * _AHEAD)
        while waiting or under_way:
            while waiting and free:
                actor, number = free.popleft(), waiting.popleft()
                under_way[actor.part.remote(list(parts[number]))] = (number, actor)
            ready, _ = self._ray.wait(list(under_way), timeout=_TICK)
            tell()
            for reference in ready:
                number, actor = under_way.pop(reference)
                free.append(actor)
                yield number, self._got(reference)

    def _got(self, reference: Any) -> Any:
        ray = self._ray
        try:
            return ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            raise raised(error) from error
        except ray.exceptions.RayError as error:
            raise ClusterError(
                f"a process of the cluster died {RESTARTS + 1} times over the same part, or could not be started: "
                f"{' '.join(str(error).split())[:300]}"
            ) from error

    def _end(self) -> None:
        for actor in self.actors:
            self._ray.kill(actor)
        self.actors = []
