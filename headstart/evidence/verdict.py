"""Did transfer help? The paired gain over the sound model without transfer, and what it says in words."""

from __future__ import annotations

import math
from typing import Literal

from headstart.evidence.intervals import Interval

__all__ = ["Verdict", "figure", "signed", "spread", "verdict"]

Verdict = Literal["helps", "cannot tell", "hurts", "does not help"]
"""The last of them where the model that is kept does not transfer, though it was asked to."""


def verdict(gain: Interval) -> Verdict:
    """ "helps" where the whole interval of the gain lies above 0, "hurts" where it lies below, else "cannot tell"."""
    if gain.low > 0:
        return "helps"
    return "hurts" if gain.high < 0 else "cannot tell"


def figure(value: float) -> str:
    """A score in a few characters: .76, 1.00, -2.04, 12.3, 4,820, or ? where it is not known."""
    if math.isnan(value):
        return "?"
    size = abs(value)
    if size >= 1e6 or 0 < size < 0.005:
        return f"{value:.{1 if size < 1 else 2}g}".replace("e+0", "e").replace("e-0", "e-").replace("0.", ".", 1)
    text = f"{value:,.2f}" if size < 9.995 else f"{value:,.1f}" if size < 999.95 else f"{value:,.0f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def signed(value: float) -> str:
    """The same with its sign: +.25, -.03."""
    return figure(value) if value < 0 or math.isnan(value) else f"+{figure(value)}"


def spread(interval: Interval) -> str:
    """The ends of an interval: [.70, .81]; [?] where they are not known."""
    if math.isnan(interval.low) and math.isnan(interval.high):
        return "[?]"
    return f"[{figure(interval.low)}, {figure(interval.high)}]"
