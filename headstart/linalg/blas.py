"""How linear algebra and trees run here: each part on one thread where more do not pay, and deaf to false alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from typing import TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController, threadpool_limits

__all__ = ["FEW", "at_once", "one_thread", "one_thread_if_few"]

FEW = 50_000
"""Numbers of an array below which the threads of OpenMP wait for each other longer than they work."""
A = TypeVar("A")
B = TypeVar("B")


@contextmanager
def one_thread() -> Iterator[None]:
    """One BLAS thread: two are slower on matrices of this size, and their number would change the last bits.

    Vector kernels now and then raise the floating-point flag "invalid" for lanes that they do not store (numpy issue
    24067), which numpy turns into a warning. Features are checked to be finite before, so the flag says nothing.
    """
    with threadpool_limits(1, user_api="blas"), np.errstate(invalid="ignore"):
        yield


@contextmanager
def one_thread_if_few(numbers: int) -> Iterator[None]:
    """One OpenMP thread for boosted trees on an array of few numbers; the trees are the same bits on any number.

    A tree has a parallel region for every node and column, and each waits for its last thread: where another process
    calculates too, trees on 400 rows take two to five times as long on two threads as on one (`bench/tree_threads.py`).
    """
    if numbers >= FEW:
        yield
        return
    with _openmp().limit(limits=1):
        yield


@cache
def _openmp() -> ThreadpoolController:
    """The libraries that are loaded by the time of the first call; to look for them takes as long as a few trees."""
    import sklearn.ensemble  # noqa: F401 - loads the library whose threads are meant

    return ThreadpoolController().select(user_api="openmp")


def at_once(function: Callable[[A], B], arguments: Sequence[A]) -> list[B]:
    """The function of each argument, two at a time, in order; what is split so must not depend on how many cores are.

    Each thread goes by the caller's settings of floating-point warnings.
    """
    if len(arguments) < 2:
        return [function(argument) for argument in arguments]
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(copy_context().run, function, argument) for argument in arguments]
        return [future.result() for future in waiting]
