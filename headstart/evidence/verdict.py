"""Did transfer help? The paired gain over the sound model without transfer, and what it says in words."""

from __future__ import annotations

from typing import Literal

from headstart.evidence.intervals import Interval

__all__ = ["Verdict", "figure", "signed", "spread", "verdict"]

Verdict = Literal["helps", "cannot tell", "hurts"]


def verdict(gain: Interval) -> Verdict:
    """ "helps" where the whole interval of the gain lies above 0, "hurts" where it lies below, else "cannot tell"."""
    if gain.low > 0:
        return "helps"
    return "hurts" if gain.high < 0 else "cannot tell"


def figure(value: float) -> str:
    """A score in a few characters: .76, 1.00, -2.04, 12.3, or - where it is not known."""
    if value != value:
        return "-"
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:.4g}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def signed(value: float) -> str:
    """The same with its sign: +.25, -.03."""
    return figure(value) if value < 0 or value != value else f"+{figure(value)}"


def spread(interval: Interval) -> str:
    """The ends of an interval: [.70, .81]."""
    return f"[{figure(interval.low)}, {figure(interval.high)}]"
