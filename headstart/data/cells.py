"""The type of a column: numbers, true and false, dates, words; the same for the same data in whatever container.

Numbers, truth values and dates that a container knows as such, and the strings that a CSV has for them, are one thing.
None, NaN, NaT, pandas' NA, empty strings and strings of nothing but spaces are missing.

- A column of strings is one of numbers if at least 95 % of its cells that are not missing are (see `numbers`), or 90 %
  where the rest are at most 5 different words; of fewer than 20 different whole numbers all must be. What is none is
  missing, and counted in a note.
- It is one of true and false if all cells are, one of dates or of times of day if at least 95 % are (see `moments`).
  Numbers such as 20240131 are dates where the column is called so.
- Else it is one of words, without the spaces around them.

Missing among numbers, dates, true and false are also NA, N/A, NaN, NULL, ?, -, -- and other signs that spreadsheets
write there, and among numbers and dates words such as none and unknown, as long as they are no more than half (a tenth
where there are fewer than 20 different whole numbers). Among words only NA, N/A, NaN and NULL are, and only where the
words repeat: a text or a name may well read "Null".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from headstart.data.moments import Order, is_date_name, moment_of_digits, read_moments, seconds_of
from headstart.data.numbers import Decimal, Numbers, read_numbers
from headstart.data.stored import MOMENTS, stored, strings
from headstart.tasks.task import Array, ColumnType

__all__ = ["Typed", "typed"]

MISSING = frozenset({"", "NA", "N/A", "#N/A", "NAN", "NULL"})
SIGNS = frozenset({
    "?", "??", "???", "-", "--", "---", "\u2013", "\u2014", ".", "..", "...", "\u2026", "*", "N.A.", "N.A", "<NA>",
    "#NA", "NAT", "-NAN", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!",
})  # fmt: skip
WORDS = frozenset({
    "NONE", "NIL", "UNKNOWN", "UNK", "MISSING", "UNDEFINED", "UNSPECIFIED", "ND", "N.D.", "N/D", "NO DATA",
    "NOT AVAILABLE", "NOT APPLICABLE", "NOT KNOWN", "TBD", "TBA", "K.A.", "K. A.", "S/O", "N/V",
})  # fmt: skip
MOST, MANY, FEW_ODD, FEW_NUMBERS = 0.95, 0.9, 5, 20
ORDERS: dict[ColumnType, Order] = {
    "date": "year first",
    "date day first": "day first",
    "date month first": "month first",
}
DATES: dict[Order, ColumnType] = {order: kind for kind, order in ORDERS.items()}
MARKS: dict[ColumnType, Decimal] = {"number": ".", "number comma": ","}


class Typed(NamedTuple):
    """A column with its type.

    values   number: int64, or float64 with NaN for missing; truth: bool, or objects with NaN for missing; date:
             datetime64[us] without a zone; duration: float64 seconds; words: objects, NaN for missing; other: as it was
    note     what to say about it; "" for nothing
    unit     a currency, % or a unit that was taken off its numbers; "" for none
    """

    values: pd.Series[Any]
    type: ColumnType
    note: str = ""
    unit: str = ""


def typed(
    raw: pd.Series[Any],
    earlier_type: ColumnType | None = None,
    *,
    decimal_comma: bool = False,
    names: Sequence[str] = (),
) -> Typed:
    """The cells of a column, whatever they are stored as, as one type.

    earlier_type   the type of the same column in an earlier reading, which holds here whatever the cells look like
    decimal_comma  the file is of a kind that often has 3,5 for a number
    names          what to call each row
    """
    kind, values = stored(raw)
    if kind is not None and _holds(earlier_type, kind):
        column = Typed(values, kind)
    else:
        cells = strings(values)
        if cells is None:
            return Typed(raw, "other")
        column = _Words.of(cells, raw, names).typed(earlier_type, decimal_comma)
    if column.type == "number" and (earlier_type in ORDERS or (earlier_type is None and is_date_name(str(raw.name)))):
        return _dated(column, sure=earlier_type is not None)
    return column


def _holds(earlier_type: ColumnType | None, kind: ColumnType) -> bool:
    """Whether what a container stores as `kind` can stay so where the type is `earlier_type`."""
    if earlier_type in ORDERS:
        return kind in ("date", "number")
    if earlier_type in MARKS or earlier_type == "words":
        return kind in ("number", "truth")
    return earlier_type in (None, kind, "other")


def _dated(column: Typed, *, sure: bool) -> Typed:
    """Numbers such as 20240131 as dates, if all are; where that is sure, what is none is missing."""
    different = column.values.dropna().unique()
    days = {number: moment_of_digits(number) for number in different}
    if not sure and (not days or None in days.values()):
        return column
    values = column.values.map(days).astype(MOMENTS)
    return Typed(values, "date", column.note)


class _Words(NamedTuple):
    """The different words of a column, stripped, how often each occurs, and of each row which."""

    words: list[str]
    counts: dict[str, int]
    codes: Array
    raw: pd.Series[Any]
    names: Sequence[str]

    @classmethod
    def of(cls, cells: list[str], raw: pd.Series[Any], names: Sequence[str]) -> _Words:
        stripped = np.empty(len(cells), dtype=object)
        stripped[:] = [cell.strip().strip("\ufeff\u200b").strip() for cell in cells]
        codes, uniques = pd.factorize(stripped)
        words = list(map(str, uniques))
        return cls(
            words, dict(zip(words, np.bincount(codes, minlength=len(words)).tolist(), strict=True)), codes, raw, names
        )

    def typed(self, earlier_type: ColumnType | None, decimal_comma: bool) -> Typed:
        upper = {word: word.upper() for word in self.words}
        signs = frozenset(word for word, big in upper.items() if big in MISSING or big in SIGNS)
        counts = {word: count for word, count in self.counts.items() if word not in signs}
        if not counts and earlier_type is None:
            return Typed(self._mapped({}, np.nan, np.float64), "number")
        vague = frozenset(word for word in counts if upper[word] in WORDS)
        if (
            earlier_type in (None, "truth")
            and (truth := self._truth(counts, sure=earlier_type is not None)) is not None
        ):
            return truth
        if (
            earlier_type in (None, *MARKS)
            and (numbers := self._numbers(counts, vague, earlier_type, decimal_comma)) is not None
        ):
            return numbers
        clear = {word: count for word, count in counts.items() if word not in vague}
        if earlier_type in (None, *ORDERS) and (dates := self._dates(clear, earlier_type)) is not None:
            return dates
        if (
            earlier_type in (None, "duration")
            and (lengths := self._durations(clear, sure=earlier_type is not None)) is not None
        ):
            return lengths
        return self._as_words(upper)

    def _truth(self, counts: Mapping[str, int], *, sure: bool) -> Typed | None:
        values = {word: word.lower() in ("true", "1", "1.0") for word in counts if _is_truth(word, sure)}
        if len(values) < len(counts) and not sure:
            return None
        column = self._mapped(values, np.nan, object)
        note = self._note(self._odd("true or false", values))
        return Typed(column if column.isna().any() else column.astype(bool), "truth", note)

    def _numbers(
        self, counts: dict[str, int], vague: frozenset[str], earlier_type: ColumnType | None, decimal_comma: bool
    ) -> Typed | None:
        clear = {word: count for word, count in counts.items() if word not in vague}
        mark = None if earlier_type is None else MARKS[earlier_type]
        read = read_numbers(clear, earlier_mark=mark, comma=decimal_comma)
        if read is None or (earlier_type is None and not _are_numbers(read, counts, vague)):
            return None
        whole = len(read.values) == len(self.words) and all(isinstance(value, int) for value in read.values.values())
        values = self._mapped(read.values, np.nan, np.int64 if whole else np.float64)
        kind: ColumnType = "number" if read.decimal == "." else "number comma"
        return Typed(values, kind, self._note([*_written(read), *self._odd("numbers", read.values)]), read.unit)

    def _dates(self, clear: Mapping[str, int], earlier_type: ColumnType | None) -> Typed | None:
        read = read_moments(clear, earlier_order=None if earlier_type is None else ORDERS[earlier_type])
        if earlier_type is None and not _are_most(read.values, clear):
            return None
        notes = self._odd("dates", read.values)
        if read.order != "year first":
            either = " (they would read the other way too)" if read.either else ""
            notes.insert(0, f"its dates have the {read.order}{either}")
        return Typed(self._mapped(read.values, None, MOMENTS), DATES[read.order], self._note(notes))

    def _durations(self, clear: Mapping[str, int], *, sure: bool) -> Typed | None:
        values = {word: seconds for word in clear if (seconds := seconds_of(word)) is not None}
        if not sure and not _are_most(values, clear):
            return None
        return Typed(self._mapped(values, np.nan, np.float64), "duration", self._note(self._odd("times", values)))

    def _as_words(self, upper: Mapping[str, str]) -> Typed:
        worded = [word for word in self.words if word and upper[word] in MISSING]
        filled = len(self.codes) - sum(self.counts[word] for word in ("", *worded) if word in self.counts)
        different = len(self.words) - len(worded) - ("" in self.counts)
        repeats = 2 * different <= filled
        missing = {"", *worded} if repeats else {""}
        values = {word: word for word in self.words if word not in missing}
        note = ""
        if repeats and worded:
            count = sum(self.counts[word] for word in worded)
            note = f"{count} cells of {self.raw.name!r} read as missing ({', '.join(sorted(worded))})"
        return Typed(self._mapped(values, np.nan, object), "words", note)

    def _mapped(self, values: Mapping[str, Any], missing: Any, dtype: Any) -> pd.Series[Any]:
        """The column in which each word is its value."""
        cells = np.empty(len(self.words), dtype=object)
        cells[:] = [values.get(word, missing) for word in self.words]
        if dtype is not object:
            cells = pd.Series(cells, dtype=object).astype(dtype).to_numpy()
        column: pd.Series[Any] = pd.Series(cells[self.codes], index=self.raw.index, name=self.raw.name, dtype=dtype)
        return column

    def _note(self, notes: list[str]) -> str:
        return f"{self.raw.name!r}: {'; '.join(notes)}" if notes else ""

    def _odd(self, what: str, read: Mapping[str, Any]) -> list[str]:
        """What is written in cells that are missing, but for empty ones, NA and the like: how often, and where."""
        odd = [word for word in self.words if word not in read and word.upper() not in MISSING]
        if not odd:
            return []
        count = sum(self.counts[word] for word in odd)
        often = sorted(odd, key=lambda word: (-self.counts[word], word))
        named = ", ".join(self._place(word) for word in often[:3]) + (", ..." if len(often) > 3 else "")
        return [f"{count} {'cell' if count == 1 else 'cells'} read as missing, being no {what}: {named}"]

    def _place(self, word: str) -> str:
        row = int(np.argmax(self.codes == self.words.index(word)))
        first = self.names[row] if len(self.names) else f"row {row}"
        more = f" and {self.counts[word] - 1} more" if self.counts[word] > 1 else ""
        return f"{word[:24]!r} ({first}{more})"


def _is_truth(word: str, sure: bool) -> bool:
    return word.lower() in (("true", "false", "0", "1", "0.0", "1.0") if sure else ("true", "false"))


def _are_numbers(read: Numbers, counts: Mapping[str, int], vague: frozenset[str]) -> bool:
    """Whether so many cells are numbers that the others count as missing."""
    good = sum(counts[word] for word in read.values)
    unclear = sum(counts[word] for word in vague)
    odd = sum(counts.values()) - good - unclear
    few = len(set(read.values.values())) < FEW_NUMBERS and all(value == int(value) for value in _finite(read.values))
    if not good or unclear > (1 - MANY if few else 0.5) * (good + unclear):
        return False
    if few:
        return not odd
    different = len(counts) - len(read.values) - len(vague)
    return good >= MOST * (good + odd) or (good >= MANY * (good + odd) and different <= FEW_ODD)


def _finite(values: Mapping[str, float]) -> list[float]:
    return [value for value in values.values() if abs(value) < float("inf")]


def _are_most(read: Mapping[str, Any], counts: Mapping[str, int]) -> bool:
    return bool(read) and sum(counts[word] for word in read) >= MOST * sum(counts.values())


def _written(read: Numbers) -> list[str]:
    """How numbers were written, where that is not plain."""
    notes = []
    if read.decimal == ",":
        notes.append("the comma in its numbers is a decimal point")
    if read.grouped:
        what = {",": "comma", ".": "point", "'": "apostrophe", " ": "space"}[read.grouped]
        notes.append(f"the {what} in its numbers sets off thousands")
    if read.unit:
        notes.append(f"{read.unit!r} was taken off its numbers" + (" (12 % is 12)" if read.unit == "%" else ""))
    return notes
