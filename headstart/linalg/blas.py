"""How linear algebra runs here: each part on one thread, and deaf to false alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

__all__ = ["at_once", "one_thread"]

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


def at_once(function: Callable[[A], B], arguments: Sequence[A]) -> list[B]:
    """The function of each argument, two at a time, in order; what is split so must not depend on how many cores are.

    Each thread goes by the caller's settings of floating-point warnings.
    """
    if len(arguments) < 2:
        return [function(argument) for argument in arguments]
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(copy_context().run, function, argument) for argument in arguments]
        return [future.result() for future in waiting]
