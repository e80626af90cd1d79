"""What held-out rows say of sets, of answers that are withheld, and of the flag of strange inputs.

Shares have the interval of Clopper and Pearson (1934) at the effective number of rows of Korn and Graubard (1998):

    n* = p (1 - p) / var(p),  at most n        var(p) linearised over units (rows, or groups)

Of repeats of cross-validation the mean of each row counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from headstart.evidence.intervals import ALPHA, Interval
from headstart.evidence.verdict import figure, spread
from headstart.tasks.task import Array

__all__ = ["AlarmFacts", "SelectiveFacts", "SetFacts", "UncertaintyFacts", "sentences", "share"]


class SetFacts(NamedTuple):
    """coverage   that was asked for
    covered    the share of rows whose set or interval holds the true answer
    size       classes of a set, or the width of an interval, on average
    single     the share of sets of one class; None for intervals
    thresholds how many thresholds there are: 1, or one for each class, or group of classes, where rows allow
    """

    coverage: float
    covered: Interval
    size: float
    single: float | None
    thresholds: int

    @property
    def classes(self) -> str:
        """The size in words: to a tenth below 10, else whole."""
        return f"{self.size:.1f}" if self.size < 10 else f"{self.size:.0f}"


class SelectiveFacts(NamedTuple):
    """accuracy   that was asked for
    answered   the share of rows that are answered
    right      the share of these that are right; NaN where none is answered
    """

    accuracy: float
    answered: Interval
    right: Interval


class AlarmFacts(NamedTuple):
    """rate     of false alarms that was asked for; of few training rows the least that they can promise
    flagged  the share of held-out rows that were flagged as unlike the training rows
    """

    rate: float
    flagged: Interval


class UncertaintyFacts(NamedTuple):
    """Each None where it is not known."""

    sets: SetFacts | None = None
    selective: SelectiveFacts | None = None
    alarms: AlarmFacts | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {name: None if part is None else _record(part) for name, part in self._asdict().items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> UncertaintyFacts | None:
        """What `to_json` gave. Raises KeyError, TypeError or AttributeError where it is damaged."""
        if data is None:
            return None
        return cls(
            *(
                None if data[name] is None else part(**{key: _value(value) for key, value in data[name].items()})
                for name, part in _PARTS.items()
            )
        )


_PARTS: dict[str, Any] = {"sets": SetFacts, "selective": SelectiveFacts, "alarms": AlarmFacts}


def share(hits: Array, group: Array | None, counted: Array | None = None) -> Interval:
    """The share of hits (N,), each from 0 to 1, with its 95 % interval; NaN where nothing counts.

    group     (N,) rows that belong together, or None
    counted   (N,) how much a row counts; None: 1
    """
    whole = np.ones(len(hits)) if counted is None else np.asarray(counted, dtype=np.float64)
    total = float(whole.sum())
    if not total:
        return Interval(math.nan)
    value = float((hits * whole).sum() / total)
    units = np.arange(len(hits)) if group is None else np.unique(group, return_inverse=True)[1]
    residual = np.bincount(units, (hits - value) * whole)
    number = int((np.bincount(units, whole) > 0).sum())
    if number < 2:
        return Interval(value)
    variance = float(np.square(residual).sum()) / total**2 * number / (number - 1)
    effective = min(total, value * (1 - value) / variance) if variance > 0 else float(number)
    return Interval(value, *_exact(value * effective, effective))


def _exact(hits: float, rows: float) -> tuple[float, float]:
    """Clopper and Pearson's interval of numbers that need not be whole."""
    from scipy.special import betaincinv

    misses = rows - hits
    low = float(betaincinv(hits, misses + 1, ALPHA / 2)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, 1 - ALPHA / 2)) if misses > 1e-12 * rows else 1.0
    return low, high


def sentences(facts: UncertaintyFacts) -> list[str]:
    """A line each, for a terminal."""
    return [line for line in (_of_sets(facts.sets), _of_selective(facts.selective), _of_alarms(facts.alarms)) if line]


def _of_sets(sets: SetFacts | None) -> str:
    if sets is None:
        return ""
    held = f"{figure(sets.covered.value)} {spread(sets.covered)} of the rows"
    if sets.single is None:
        return f"intervals for coverage {figure(sets.coverage)}: {held}; {sets.size:.3g} wide"
    return (
        f"sets for coverage {figure(sets.coverage)}: {held}; {sets.classes} classes on average, "
        f"one class in {100 * sets.single:.0f} %"
    )


def _of_selective(selective: SelectiveFacts | None) -> str:
    if selective is None:
        return ""
    asked, answered = figure(selective.accuracy), selective.answered
    if not answered.value:
        return f"so sure that accuracy is {asked}: of no row"
    return (
        f"so sure that accuracy is to be {asked}: {100 * answered.value:.0f} % of the rows, of which "
        f"{figure(selective.right.value)} {spread(selective.right)} are right"
    )


def _of_alarms(alarms: AlarmFacts | None) -> str:
    if alarms is None:
        return ""
    flagged = alarms.flagged
    return f"flagged as strange, of {figure(alarms.rate)} to be expected: {figure(flagged.value)} {spread(flagged)}"


def _record(part: Any) -> dict[str, Any]:
    return {name: value._asdict() if isinstance(value, Interval) else value for name, value in part._asdict().items()}


def _value(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return Interval(**{name: math.nan if figure is None else float(figure) for name, figure in value.items()})
