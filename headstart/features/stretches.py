"""Pieces in an order where neighbours are alike, shared out so that each lane stays among neighbours.

An engine prepares itself for every shape of input that it meets, OpenVINO in each stream for itself (about 11 ms a
shape for a small text network). Lanes that take turns would all meet all shapes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial
from threading import Lock

__all__ = ["Stretches"]


class Stretches:
    """The pieces 0, 1, ... count - 1, each given to one lane; safe in threads.

    Each lane has a stretch of its own and takes it in order. One that has done with it helps where most is left,
    from the far end.
    """

    def __init__(self, count: int, lanes: int) -> None:
        ends = [count * lane // lanes for lane in range(lanes + 1)]
        self._left = [deque(range(start, end)) for start, end in zip(ends[:-1], ends[1:], strict=True)]
        self._free = iter(self._left)
        self._lock = Lock()

    def lane(self) -> Iterator[int]:
        """The pieces of one lane; to be called once by each."""
        with self._lock:
            own = next(self._free)
        return iter(partial(self._next, own), None)

    def _next(self, own: deque[int]) -> int | None:
        with self._lock:
            if own:
                return own.popleft()
            longest = max(self._left, key=len)
            return longest.pop() if longest else None
