"""Prepared pictures of one pass over the data, held in memory for a second pass by a network that is fed the same.

Decoding and preparing are a fifth of what a small network costs a picture. What does not fit is decoded anew.
"""

from __future__ import annotations

from threading import Lock

import numpy as np

from headstart.preprocessing.prepare import Pixels
from headstart.preprocessing.preprocess import Preprocess

__all__ = ["LIMIT", "HeldPixels"]

LIMIT = 160 << 20
"""Bytes: 1,100 pictures of 224 x 224 pixels."""

_BLOCK = 8 << 20


class HeldPixels:
    """Pictures by their content key and what prepared them. Safe in threads.

    limit   bytes at most; memory is taken as pictures come, some 8 MiB at a time
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lock = Lock()
        self._places: dict[tuple[bytes, Preprocess], Pixels] = {}
        self._blocks: list[Pixels] = []
        self._used = 0
        self._open = True

    def __len__(self) -> int:
        return len(self._places)

    @property
    def nbytes(self) -> int:
        """Memory that is taken."""
        return sum(block.nbytes for block in self._blocks)

    def hold(self, key: bytes, preprocess: Preprocess, pixels: Pixels) -> Pixels:
        """A copy of a prepared picture, uint8 (H, W, 3), which is held; the picture itself where there is no room."""
        with self._lock:
            place = self._place(pixels.nbytes) if self._open and (key, preprocess) not in self._places else None
            if place is None:
                return pixels
            copy = place.reshape(pixels.shape)
            copy[...] = pixels
            self._places[key, preprocess] = copy
            return copy

    def find(self, key: bytes, preprocess: Preprocess) -> Pixels | None:
        """The picture, as it was prepared; None where it is not held."""
        return self._places.get((key, preprocess))

    def close(self) -> None:
        """Hold no more than there is: what later passes prepare, nobody asks for again."""
        self._open = False

    def clear(self) -> None:
        """Give the memory back, and hold nothing more."""
        with self._lock:
            self._open = False
            self._places, self._blocks = {}, []

    def _place(self, size: int) -> Pixels | None:
        if not self._blocks or self._used + size > len(self._blocks[-1]):
            block = min(max(_BLOCK, size), self._limit - self.nbytes)
            if block < size:
                return None
            self._blocks.append(np.empty(block, np.uint8))
            self._used = 0
        self._used += size
        return self._blocks[-1][self._used - size : self._used]
