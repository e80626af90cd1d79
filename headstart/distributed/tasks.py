"""Fits of a study as tasks of Ray: the trials of a comparison, the ways of `compare`, the folds of a race.

Each task runs on one thread, in a process of its own; one whose process dies is run again. What a fit would tell its
listener is written down there and told here, in the order of submission.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from headstart.errors import ClusterError
from headstart.features.held_pixels import HeldPixels
from headstart.listener import Listener

__all__ = ["HEARD", "answers_of", "in_tasks", "raised", "register_stays"]

A = TypeVar("A")
B = TypeVar("B")

RETRIES = 8
_TICK = 0.2


class _Heard:
    """The listener of a task."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def progress(self, stage: str, done: int, total: int) -> None:
        return None


HEARD = _Heard()
"""Of the task that this process runs: it runs one at a time."""


def in_tasks(ray: Any, function: Callable[[A], B], arguments: Sequence[A], listener: Listener, stage: str) -> list[B]:
    """The function of each argument, in order. Raises what it raises; ClusterError where a process dies again and
    again over the same argument.

    listener   hears of progress in the stage, and the lines that were said
    """
    shared = ray.put(function)
    task = ray.remote(num_cpus=1, max_retries=RETRIES)(_run)
    tasks = [task.remote(shared, argument) for argument in arguments]
    waiting = list(tasks)
    try:
        while waiting:
            _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=_TICK)
            listener.progress(stage, len(tasks) - len(waiting), len(tasks))
    except BaseException:  # the time of a race is over, or Ctrl-C: what is not done nobody waits for
        for each in waiting:
            ray.cancel(each, force=True)
        raise
    results = []
    for result, lines in answers_of(ray, list(tasks), f"{RETRIES + 1} times over the same task"):
        for line in lines:
            listener.say(line)
        results.append(result)
    return results


def raised(error: Any) -> Exception:
    """What a process raised, as it raised it."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, Exception) else ClusterError(str(error))


def _run(function: Callable[[A], B], argument: A) -> tuple[B, list[str]]:
    HEARD.lines = []
    return function(argument), HEARD.lines


def answers_of(ray: Any, references: Any, died: str) -> Any:
    """What processes answer. Raises what one raised; ClusterError with `died` in its words where one died."""
    try:
        return ray.get(references)
    except ray.exceptions.RayTaskError as error:
        raise raised(error) from error
    except ray.exceptions.RayError as error:
        raise ClusterError(f"a process of the cluster died {died}: {' '.join(str(error).split())[:300]}") from error


def register_stays(ray: Any, *listeners: Listener) -> None:
    """What stays in this process and does not travel: who listens, and the prepared pictures that are held."""
    register = ray.util.register_serializer
    for listener in listeners:
        register(type(listener), serializer=_nothing, deserializer=_heard)
    register(HeldPixels, serializer=_nothing, deserializer=_none)


def _nothing(value: object) -> None:
    return None


def _heard(value: None) -> _Heard:
    return HEARD


def _none(value: None) -> None:
    return None
