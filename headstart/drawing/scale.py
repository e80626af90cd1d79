"""Round numbers for an axis."""

from __future__ import annotations

import math

__all__ = ["ticks"]


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """At most so many round numbers from `low` to `high`; the two alone where they are equal or not finite."""
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return [value for value in {low, high} if math.isfinite(value)]
    step: float = 10.0 ** math.floor(math.log10((high - low) / most))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= most - 1 or factor == 10)
    return [round(number * step, 12) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
