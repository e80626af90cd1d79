"""From how many labels on the model without transfer is as good: where two curves meet.

The curves are the two power laws, up to four times the rows there are; where either has none, the measured errors,
straight between sizes on log n, up to the rows there are. They meet at the last number of rows from which on the gain
is not above 0. The interval is that of the simulated pairs of curves, which learnt from the same draws.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from headstart.automl.learning_curves.extrapolation import FACTORS, Extrapolation
from headstart.evidence.intervals import ALPHA
from headstart.tasks.task import Array

__all__ = ["Meeting", "meeting_of"]

_POINTS = 200


class Meeting(NamedTuple):
    """Numbers of rows. 0: from the smallest size on; infinity: not up to `reach`.

    rows        where the curves meet
    low, high   its 95 % interval
    first       the smallest size
    reach       up to how many rows was looked
    by_laws     whether power laws were followed, else what was measured
    """

    rows: float
    low: float
    high: float
    first: int
    reach: int
    by_laws: bool

    def __str__(self) -> str:
        """Such as: "no-transfer catches up at about 1,200 labels [700, beyond 1,600]"."""
        if self.rows == 0:
            start = f"no-transfer is at least as good from {self.first:,} labels on"
            return start if self.high == 0 else f"{start} [up to {self._named(self.high)}]"
        if math.isinf(self.rows):
            how = "within" if self.by_laws else "among the sizes measured, up to"
            start = f"no-transfer does not catch up {how} {self.reach:,} labels"
            return start if math.isinf(self.low) else f"{start} [it may from {self._named(self.low)} on]"
        return f"no-transfer catches up at about {_round(self.rows):,} labels {self._spread()}"

    def _spread(self) -> str:
        return f"[{self._named(self.low)}, {self._named(self.high)}]"

    def _named(self, rows: float) -> str:
        if math.isinf(rows):
            return f"beyond {self.reach:,}"
        return f"below {self.first:,}" if rows == 0 else f"{_round(rows):,}"


def meeting_of(transfer: Extrapolation, other: Extrapolation) -> Meeting:
    """Where the other gets as good as transfer; both are of one design."""
    sizes = transfer.design.sizes
    by_laws = transfer.law is not None and other.law is not None
    reach = sizes[-1] * (max(FACTORS) if by_laws else 1)
    rows = np.geomspace(sizes[0], reach, _POINTS)
    if transfer.law is not None and other.law is not None and transfer.laws is not None and other.laws is not None:
        gain = other.law.at(rows)[None] - transfer.law.at(rows)
        gains = other.laws.at(rows) - transfer.laws.at(rows)
    else:
        rows = np.unique(np.concatenate([rows, np.asarray(sizes, np.float64)]))
        gain = _between(other.mean[None] - transfer.mean, sizes, rows)
        gains = _between(other.curves - transfer.curves, sizes, rows)
    point = float(_last_meeting(gain, rows)[0])
    low, high = np.quantile(_last_meeting(gains, rows), [ALPHA / 2, 1 - ALPHA / 2], method="inverted_cdf")
    return Meeting(point, min(point, float(low)), max(point, float(high)), sizes[0], reach, by_laws)


def _between(values: Array, sizes: tuple[int, ...], rows: Array) -> Array:
    """(B, K) values at sizes -> (B, M) straight between them on log n."""
    return np.stack([np.interp(np.log(rows), np.log(sizes), curve) for curve in values])


def _last_meeting(gains: Array, rows: Array) -> Array:
    """(B,) where gains (B, M) are above 0 for the last time; 0 where they never are, infinity where they are at the
    end."""
    above = gains > 0
    last = len(rows) - 1 - above[:, ::-1].argmax(axis=1)
    nxt = np.minimum(last + 1, len(rows) - 1)
    curve, log_n = np.arange(len(gains)), np.log(rows)
    before, after = gains[curve, last], gains[curve, nxt]
    fall = before - after
    share = np.divide(before, fall, out=np.zeros_like(fall), where=fall > 0)
    at = np.exp(log_n[last] + share * (log_n[nxt] - log_n[last]))
    return np.where(~above.any(axis=1), 0.0, np.where(above[:, -1], np.inf, at))


def _round(rows: float) -> int:
    """Two significant figures: no curve says more."""
    digits = max(0, math.floor(math.log10(rows)) - 1)
    return int(round(rows / 10**digits) * 10**digits)
