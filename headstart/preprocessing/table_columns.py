"""How one column of a table becomes numbers: learnt from training rows, then applied to any rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from blake3 import blake3

from headstart.preprocessing.table_cells import Floats, moments, numbers, texts

__all__ = ["CYCLES", "FARTHEST", "LEAST", "MOST", "Category", "Encoded", "Moment", "Number", "Scale"]

MOST = 64
LEAST = 2
FARTHEST = 1000.0
CYCLES = {"year": 365.2425 * 86400, "week": 7 * 86400.0, "day": 86400.0}


class Encoded(NamedTuple):
    """(N, D) values of one column; which cells were missing, and which are not what the training rows held."""

    values: npt.NDArray[np.float32]
    missing: npt.NDArray[np.bool_]
    unseen: npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Missing values become the median; then (x - mean) / scale, clipped to 1000 either side."""

    median: float
    mean: float
    scale: float

    @classmethod
    def fit(cls, values: Floats) -> Self:
        """From values (N,) with NaN for missing; a column with one value or none gets scale 1."""
        observed = values[~np.isnan(values)]
        largest = float(np.abs(observed).max(initial=0.0)) or 1.0
        unit = np.where(np.isnan(values), np.median(observed) if len(observed) else 0.0, values) / largest
        mean, spread = float(unit.mean()), float(unit.std())
        constant = spread <= 1e-12
        return cls(
            median=float(np.median(observed / largest)) * largest if len(observed) else 0.0,
            mean=(float(unit[0]) if constant else mean) * largest,
            scale=1.0 if constant else spread * largest or 1.0,
        )

    def apply(self, values: Floats) -> Floats:
        """(N,) -> (N,), finite everywhere."""
        filled = np.where(np.isnan(values), self.median, values)
        with np.errstate(over="ignore"):  # an infinite distance is clipped like any other
            return np.asarray(np.clip(filled / self.scale - self.mean / self.scale, -FARTHEST, FARTHEST))


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number: standardised, missing ones as the median, with a column that marks them if training rows had any.

    A cell that cannot be read as a number, or is infinite, is missing.
    """

    kind: ClassVar[str] = "number"
    column: str
    scale: Scale
    missing: bool

    @classmethod
    def fit(cls, cells: pd.Series[Any]) -> Self:
        values = numbers(cells)
        return cls(column=str(cells.name), scale=Scale.fit(values), missing=bool(np.isnan(values).any()))

    @property
    def names(self) -> tuple[str, ...]:
        return (self.column, *([f"{self.column} missing"] if self.missing else []))

    def encode(self, cells: pd.Series[Any]) -> Encoded:
        values = numbers(cells)
        return _stack([self.scale.apply(values)], cells, np.isnan(values), self.missing)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A date or time: when, standardised, and where in the year, the week and the day (sine and cosine).

    Of the three cycles only those that vary in the training rows. A missing moment is the median one.
    """

    kind: ClassVar[str] = "moment"
    column: str
    scale: Scale
    missing: bool
    cycles: tuple[str, ...]

    @classmethod
    def fit(cls, cells: pd.Series[Any]) -> Self:
        seconds = moments(cells)
        observed = seconds[~np.isnan(seconds)]
        cycles = tuple(name for name, period in CYCLES.items() if len(observed) and np.ptp(observed % period) > 0)
        missing = bool(np.isnan(seconds).any())
        return cls(column=str(cells.name), scale=Scale.fit(seconds), missing=missing, cycles=cycles)

    @property
    def names(self) -> tuple[str, ...]:
        cycles = [f"{self.column} {name} {wave}" for name in self.cycles for wave in ("sin", "cos")]
        return (self.column, *cycles, *([f"{self.column} missing"] if self.missing else []))

    def encode(self, cells: pd.Series[Any]) -> Encoded:
        seconds = moments(cells)
        filled = np.where(np.isnan(seconds), self.scale.median, seconds)
        angles = [2 * np.pi * (filled / CYCLES[name] % 1.0) for name in self.cycles]
        waves = [wave for angle in angles for wave in (np.sin(angle), np.cos(angle))]
        return _stack([self.scale.apply(seconds), *waves], cells, np.isnan(seconds), self.missing)


@dataclass(frozen=True, kw_only=True, eq=False)
class Category:
    """One column of 0 and 1 for each of the 64 most frequent categories that occur at least twice.

    The rarer ones share one column, if there are any; a category that no training row had goes with them, and is
    all zeros where there are none. Missing has a column of its own if a training row had it.
    rare   hashes of the rarer ones, sorted: enough to tell rare from unseen
    """

    kind: ClassVar[str] = "category"
    column: str
    categories: tuple[str, ...]
    rare: npt.NDArray[np.int64]
    missing: bool

    @classmethod
    def fit(cls, cells: pd.Series[Any]) -> Self:
        words = texts(cells)
        counts = Counter(text for text in words if text is not None)
        ranked = sorted(counts, key=lambda text: (-counts[text], text))
        categories = [text for text in ranked if counts[text] >= LEAST][:MOST]
        rare = np.unique(_hashes(ranked[len(categories) :]))
        return cls(column=str(cells.name), categories=tuple(categories), rare=rare, missing=bool(cells.isna().any()))

    @property
    def names(self) -> tuple[str, ...]:
        other = [f"{self.column} other"] if len(self.rare) else []
        missing = [f"{self.column} missing"] if self.missing else []
        return (*(f"{self.column}={text}" for text in self.categories), *other, *missing)

    def encode(self, cells: pd.Series[Any]) -> Encoded:
        codes, uniques = pd.factorize(texts(cells))
        place = {text: index for index, text in enumerate(self.categories)}
        at = np.array([place.get(text, -1) for text in uniques] + [-1])[codes]
        known = np.array([text in place for text in uniques] + [True], dtype=bool)
        known[:-1] |= np.isin(_hashes(list(uniques)), self.rare)
        outside = (at < 0) & (codes >= 0)
        hot = np.zeros((len(cells), len(self.categories)), dtype=np.float32)
        hot[np.flatnonzero(at >= 0), at[at >= 0]] = 1.0
        others = [outside.astype(np.float64)] if len(self.rare) else []
        rest = _stack(others, cells, codes < 0, self.missing)
        return Encoded(np.hstack([hot, rest.values]), codes < 0, ~known[codes])


def _stack(values: list[Floats], cells: pd.Series[Any], missing: npt.NDArray[np.bool_], mark: bool) -> Encoded:
    """The columns side by side, and the mark of missing cells. A cell that was there but not readable is unseen."""
    stacked = np.empty((len(cells), len(values) + mark), dtype=np.float32)
    for index, column in enumerate([*values, missing] if mark else values):
        stacked[:, index] = column
    present = ~cells.isna().to_numpy(dtype=bool)
    return Encoded(stacked, missing & ~present, missing & present)


def _hashes(words: list[str]) -> npt.NDArray[np.int64]:
    digests = [blake3(text.encode("utf-8", "surrogatepass")).digest(8) for text in words]
    return np.frombuffer(b"".join(digests), dtype="<i8").astype(np.int64)
