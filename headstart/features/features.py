"""What comes out of the one forward pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from headstart.features.engines.engine import EngineUsed, Rows
from headstart.tasks.task import Array

__all__ = ["Failed", "Features", "Ints"]

Ints = npt.NDArray[np.int64]


class Failed(NamedTuple):
    """An input that gave no features, and why, in words."""

    row: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Features:
    """Features of the inputs that could be read, in their order.

    values     (n, D) float32; D is 0 where only thumbnails were asked for
    rows       (n,) their positions in the inputs
    keys       (n,) their content keys, 32 bytes each
    failed     the other inputs; together with `rows` every input is named once
    thumbs     (n, 32, 32, 3) uint8, for pictures; (n, W) float32 sketches, for recordings
    truncated  (n,) tokens cut off the end, for texts
    unknown    the share of tokens that the backbone does not know, for texts
    engine     who computed them; None where only thumbnails were asked for
    computed   how many were computed; the others came from the cache
    notes      what the user should know: a cache that cannot be written, an engine that could not be had
    seconds    wall time of all this
    """

    values: Rows
    rows: Ints
    keys: list[bytes]
    failed: tuple[Failed, ...]
    thumbs: Array | None
    truncated: Ints | None
    engine: EngineUsed | None
    computed: int
    notes: tuple[str, ...]
    seconds: float
    unknown: float | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: Ints) -> Features:
        """The same with only these of its rows (integer positions), in this order; `failed` and what holds of the whole
        run stay."""
        return replace(
            self,
            values=self.values[rows],
            rows=self.rows[rows],
            keys=[self.keys[row] for row in rows],
            thumbs=None if self.thumbs is None else self.thumbs[rows],
            truncated=None if self.truncated is None else self.truncated[rows],
        )
