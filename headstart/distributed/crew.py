"""Processes that compute features, and are given parts as they become free."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headstart.backbones.backbone import Backbone
from headstart.distributed.feature_worker import FeatureWorker, Part, Recipe, Settled
from headstart.distributed.tasks import answers_of
from headstart.errors import ClusterError
from headstart.features.engines.engine import Choice

if TYPE_CHECKING:
    from headstart.distributed.cluster import Cluster

__all__ = ["RESTARTS", "Crew", "Job"]

RESTARTS = 8
"""How often a process is started again, and a part given anew, before the run ends."""
_AHEAD = 2
"""Parts that a process has, one of which waits while it calculates the other."""
_TICK = 0.1


class Crew:
    """At most one process a core, or a GPU, started as they are needed and kept for the next run.

    on_gpu   whether each has a GPU, and its share of the cores, which decode for it
    """

    def __init__(self, cluster: Cluster, *, on_gpu: bool) -> None:
        self.ray, self.on_gpu = cluster.ray, on_gpu
        self._most = cluster.gpus if on_gpu else cluster.cores
        self._lanes = max(1, cluster.cores // cluster.gpus) if on_gpu else 1
        needs = {"num_cpus": self._lanes, "num_gpus": 1 if on_gpu else 0}
        self._kind = self.ray.remote(**needs, max_restarts=RESTARTS, max_task_retries=RESTARTS)(FeatureWorker)
        self._actors: list[Any] = []

    def job(self, backbone: Backbone, choice: Choice, rows: int, *, thumbs: bool, parts: int) -> Job:
        """A run of a backbone over so many rows, in about so many parts, with the engine ready in every process.

        Raises ClusterError where the processes do not have the same engine, and what an engine raises.
        """
        while len(self._actors) < min(self._most, parts):
            self._actors.append(self._kind.remote())
        bare = replace(backbone, random=None, classifier=None)  # functions of this process, which no part asks for
        choice = choice._replace(device="cuda") if self.on_gpu else choice
        recipe = Recipe([self.ray.put(bare)], choice, rows, thumbs, self._lanes)
        asked = [actor.settled.remote(recipe) for actor in self._actors]
        told = [self.answer(each) for each in asked]
        others = {str(each.choice) for each in told}
        if len(others) > 1:
            raise ClusterError(
                f"the machines of the cluster differ: {' and '.join(sorted(others))}; name an engine that all have, "
                "such as --engine torch"
            )
        return Job(self, list(self._actors), recipe, told[0])

    def answer(self, reference: Any) -> Any:
        """What a process answers. Raises what it raised; ClusterError where it died too often."""
        died = f"{RESTARTS + 1} times over the same part, or could not be started"
        return answers_of(self.ray, reference, died)

    def end(self) -> None:
        """End the processes, whose cores others may then have."""
        for actor in self._actors:
            self.ray.kill(actor)
        self._actors = []


class Job:
    """A run by a crew.

    settled   the engine that all processes have
    """

    def __init__(self, crew: Crew, actors: Sequence[Any], recipe: Recipe, settled: Settled) -> None:
        self._crew, self._actors, self._recipe, self.settled = crew, actors, recipe, settled

    def results(self, parts: Sequence[Sequence[Any]], tell: Callable[[], None]) -> Iterator[tuple[int, Part]]:
        """(number, features) of each part, as they come; `tell` is called some times a second meanwhile."""
        waiting = deque(range(len(parts)))
        under_way: dict[Any, tuple[int, Any]] = {}
        free = deque(list(self._actors) * _AHEAD)
        try:
            while waiting or under_way:
                while waiting and free:
                    actor, number = free.popleft(), waiting.popleft()
                    under_way[actor.part.remote(self._recipe, list(parts[number]))] = (number, actor)
                ready, _ = self._crew.ray.wait(list(under_way), timeout=_TICK)
                tell()
                for reference in ready:
                    number, actor = under_way.pop(reference)
                    free.append(actor)
                    yield number, self._crew.answer(reference)
        finally:
            if under_way:  # an error, or Ctrl-C: what they still calculate nobody waits for
                self._crew.end()
