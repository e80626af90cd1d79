"""What every step refuses in words: options out of range, too few rows, answers it cannot use, matrices too large."""

from __future__ import annotations

import math

import numpy as np

from headstart.adaptation.alignment.step import Aligned, Domains, unmoved
from headstart.adaptation.estimators.sample_domain import have_answers
from headstart.tasks.task import Array

__all__ = ["above", "affordable", "labelled", "left_alone", "one_of", "rows_of_both", "same", "same_rows", "whole"]


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


def rows_of_both(domains: Domains, least: int, why: str) -> None:
    """ValueError where the two tasks have different columns, too few rows, or numbers that are not finite."""
    widths = domains.source.shape[1:], domains.target.shape[1:]
    if widths[0] != widths[1] or len(widths[0]) != 1:
        raise ValueError(
            f"source and target have shapes {domains.source.shape} and {domains.target.shape}: expected (n, d) and "
            "(m, d), the same columns: keep those that both have"
        )
    for name, rows in (("source", domains.source), ("target", domains.target)):
        if len(rows) < least:
            raise ValueError(
                f"the {name} has {len(rows)} row{'s' * (len(rows) != 1)}: expected {least} or more, {why}: "
                f"give more {name} rows, or fit the source as it is (align=None)"
            )
        if not np.isfinite(rows).all():
            raise ValueError(f"the {name}'s features hold NaN or infinity: expected finite numbers: fill them in first")


def labelled(domains: Domains) -> tuple[Array, Array]:
    """(m,) which target rows have an answer, and those answers. ValueError where none has."""
    found = have_answers(domains)
    if domains.known is None or not found.any():
        raise ValueError(
            f"no answer of the {len(found)} target rows is known and may be used, and this step learns from some: "
            "label a few and set target_labels=True (in a fit: 'all'), or take a step that needs none, such as CORAL"
        )
    return found, domains.known[found].astype(domains.targets.dtype)


def affordable(needed: float, limit: float, what: str, instead: str) -> None:
    """ValueError where `what` would take more than `limit` GB; `needed` in bytes."""
    if needed > limit * 1e9:
        raise ValueError(f"{what} would take {needed / 1e9:.1f} GB, above the limit of {limit:g} GB: {instead}")


def same_rows(domains: Domains) -> bool:
    """Whether both tasks have the same rows in the same order, whatever they weigh."""
    return np.array_equal(domains.source, domains.target)


def same(domains: Domains) -> bool:
    """Whether the source rows are the target rows, and weigh alike."""
    return domains.weights is None and same_rows(domains)


def left_alone(domains: Domains) -> Aligned:
    """What a step makes of a source that is the target: nothing, and it says so."""
    return Aligned(domains.source, domains.targets, domains.weights, unmoved, {"identical": True})
