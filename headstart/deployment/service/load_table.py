"""How busy each worker of a service is, in a file that all of them map into their memory: read without asking anybody.

Each worker writes its own row. That a reader may see a row of a moment ago costs a request handed over in vain, or one
that is not, and no more.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import numpy as np

__all__ = ["LoadTable"]


class LoadTable:
    """Of one worker, that of number `slot` among `workers`. Raises OSError where the file cannot be made."""

    def __init__(self, path: Path, slot: int, workers: int) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(file, 8 * workers)
            memory = mmap.mmap(file, 8 * workers)
        finally:
            os.close(file)
        self._rows = np.frombuffer(memory, np.int32).reshape(workers, 2)  # idle, waiting
        self._slot = slot
        self.write(idle=False, waiting=0)

    def write(self, *, idle: bool, waiting: int) -> None:
        """Of this worker: whether it has nothing to do, and how many requests wait."""
        self._rows[self._slot] = idle, waiting

    def idle(self) -> int | None:
        """Another worker that has nothing to do; None where there is none."""
        return next((slot for slot in np.flatnonzero(self._rows[:, 0]).tolist() if slot != self._slot), None)

    def claim(self, slot: int) -> None:
        """It is not idle any more, since it is given something."""
        self._rows[slot, 0] = 0

    def busiest(self) -> int | None:
        """The other worker in which most requests wait; None where none do."""
        waiting = self._rows[:, 1].copy()
        waiting[self._slot] = 0
        slot = int(waiting.argmax())
        return slot if waiting[slot] > 0 else None
