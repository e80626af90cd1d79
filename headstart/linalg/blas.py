"""How linear algebra runs here: on one thread, and deaf to false alarms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from threadpoolctl import threadpool_limits

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """One BLAS thread: two are slower on matrices of this size, and their number would change the last bits.

    Vector kernels now and then raise the floating-point flag "invalid" for lanes that they do not store (numpy issue
    24067), which numpy turns into a warning. Features are checked to be finite before, so the flag says nothing.
    """
    with threadpool_limits(1, user_api="blas"), np.errstate(invalid="ignore"):
        yield
