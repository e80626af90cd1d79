"""What an option may be, and what a calculation may take: refused in words where it is not so."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["above", "affordable", "one_of", "whole"]


def above(name: str, value: float, low: float, instead: str, *, equal: bool = False) -> None:
    """ValueError where an option is not a finite number above `low` (or equal to it, with `equal`)."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    good = number and math.isfinite(value) and (value > low or (equal and value == low))
    if not good:
        expected = f"{low:g} or more" if equal else f"more than {low:g}"
        raise ValueError(f"{name}={value!r}: expected a finite number, {expected}, such as {instead}")


def whole(name: str, value: int, low: int, instead: str = "10") -> None:
    """ValueError where an option is not a whole number from `low` on."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < low:
        raise ValueError(f"{name}={value!r}: expected a whole number, {low} or more, such as {instead}")


def one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    """ValueError where an option is none of its names."""
    if value not in choices:
        raise ValueError(f"{name}={value!r}: expected one of {', '.join(map(repr, choices))}")


def affordable(needed: float, limit: float, what: str, instead: str) -> None:
    """ValueError where `what` would take more than `limit` GB; `needed` in bytes."""
    if needed > limit * 1e9:
        raise ValueError(f"{what} would take {needed / 1e9:.1f} GB, above the limit of {limit:g} GB: {instead}")
