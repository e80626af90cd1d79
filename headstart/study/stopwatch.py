"""Seconds by name, for the cost that the evidence reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

__all__ = ["Stopwatch", "timed"]


class Stopwatch:
    """`with watch("features"): ...` adds to the seconds of that name; `total` counts from the start."""

    def __init__(self) -> None:
        self.started = perf_counter()
        self.named: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        with timed(self.named, name):
            yield

    def add(self, name: str, seconds: float) -> None:
        """Seconds that another watch took."""
        self.named[name] = self.named.get(name, 0.0) + seconds

    def seconds(self) -> dict[str, float]:
        """The seconds of each name and of the whole."""
        return self.named | {"total": perf_counter() - self.started}


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Adds what the block takes to the seconds of this name."""
    began = perf_counter()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + perf_counter() - began
