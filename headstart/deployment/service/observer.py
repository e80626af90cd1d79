"""Who is told what the model sees: called with the features and the predictions of every batch that was served."""

from __future__ import annotations

from typing import Protocol

from headstart.tasks.task import Array

__all__ = ["Observer"]


class Observer(Protocol):
    """Called in the thread that calculates; what it raises is counted and goes no further."""

    def __call__(self, features: Array, values: Array, /) -> None:
        """(N, D) features that the head stands on, and predictions (N, C) or (N,)."""

    def stop(self) -> None:
        """There are no more."""
