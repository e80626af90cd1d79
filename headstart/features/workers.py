"""Processes, on this machine or on others, that do parts of a run; none unless `distributed.cluster` starts or joins
some. As with joblib's `parallel_config`, what is called in the context uses them, and nothing has to hand them on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

from headstart.backbones.backbone import Backbone
from headstart.features.extraction import Extraction
from headstart.listener import Listener

__all__ = ["Workers", "each", "using", "workers"]

A = TypeVar("A")
B = TypeVar("B")


class Workers(Protocol):
    """Who does parts of a run."""

    def filled(
        self,
        inputs: Sequence[Any],
        backbone: Backbone,
        extraction: Extraction,
        progress: Callable[[int, int], None] | None,
    ) -> AbstractContextManager[Extraction]:
        """A context in which the cache of the extraction that it gives holds the features of all inputs that can be
        read, in the form in which a single process keeps them."""

    def each(
        self, function: Callable[[A], B], arguments: Sequence[A], stage: str, listener: Listener | None
    ) -> list[B]:
        """The function of each argument, in their order; what it says is said in that order too.

        listener   hears of progress in the stage; None: who heard of these workers
        """


_workers: ContextVar[Workers | None] = ContextVar("workers", default=None)


def workers() -> Workers | None:
    """Those of this context; None where everything is done in this process."""
    return _workers.get()


@contextmanager
def using(those: Workers | None) -> Iterator[None]:
    """A context in which these work; None: nobody but this process."""
    token = _workers.set(those)
    try:
        yield
    finally:
        _workers.reset(token)


def each(function: Callable[[A], B], arguments: Sequence[A], stage: str, listener: Listener | None = None) -> list[B]:
    """The function of each argument, in order: by the workers where there are some, else here, one after the other."""
    those = workers()
    if those is None or len(arguments) < 2:
        return [function(argument) for argument in arguments]
    return those.each(function, arguments, stage, listener)
