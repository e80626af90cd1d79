"""What an option may be, and what a calculation may take: refused in words where it is not so."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["above", "affordable", "at_least", "between", "one_of", "positive", "share_below_one", "whole"]


def above(name: str, value: float, low: float, instead: str, *, equal: bool = False) -> None:
    """ValueError where an option is not a finite number above `low` (or equal to it, with `equal`)."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    good = number and math.isfinite(value) and (value > low or (equal and value == low))
    if not good:
        expected = f"{low:g} or more" if equal else f"more than {low:g}"
        raise ValueError(f"{name}={value!r}: expected a finite number, {expected}, such as {instead}")


def at_least(name: str, value: float, low: int, more: str = "") -> None:
    """ValueError where an option is below `low`, or NaN; `more` stands behind what is expected."""
    if not value >= low:
        raise ValueError(f"{name} = {value}: expected {low} or more{more}")


def positive(name: str, value: float) -> None:
    """ValueError where an option is not above 0."""
    if not value > 0:
        raise ValueError(f"{name} = {value}: expected more than 0")


def share_below_one(name: str, value: float) -> None:
    """ValueError where an option is not a share from 0 up to, but not, 1."""
    if not 0 <= value < 1:
        raise ValueError(f"{name} = {value}: expected 0 or more, and less than 1")


def between(name: str, value: float, low: float, high: float = math.inf) -> None:
    """ValueError unless low <= value <= high."""
    if not low <= value <= high:
        expected = f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise ValueError(f"{name} is {value!r}: expected a number {expected}")


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
