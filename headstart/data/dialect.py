"""How a file of separated values is written: its separator, and what its quotes mean.

The separator is the one by which the most of the first records have as many fields as the first of them, and then sound
quotes; comma, semicolon, tab, pipe and caret are tried. A first line `sep=;`, as Excel writes it, decides. Where the
first record has none of them, lines of words above the names of the columns are passed over; else the file has one
column.

Quotes are double, and written twice inside a field (RFC 4180), unless more records fit if a backslash makes a quote
plain, if a space stands before them, if they are single, or if every record fits only where quotes are plain
characters (and, unless tabs separate, no field stands in quotes).
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

__all__ = ["SEPARATORS", "Dialect", "Record", "all_fit", "dialect_of", "in_single_quotes", "records_of"]

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", "^": "caret"}
DECLARED = re.compile(r"""\s*"?sep=([^\w"'\\\r\n])"?[ \t]*(?:[\r\n]|$)""", re.IGNORECASE)
UNUSED = "\x1f\x1e\x1d\x1c\x1b\x1a\x19\x18\x17\x16\x15\x14\x13\x12\x11\x10"
SAMPLE = 1000
LONGEST_HEADER = 1 << 16
MOST_ABOVE = 20
SHARE_BELOW = 0.9
HALF = 0.5
NEARLY = 0.99


class Dialect(NamedTuple):
    """The separator; the quote ("" for none), and whether a backslash makes a quote inside a field plain.

    spaced  whether a space may stand between a separator and a quote
    above   how many records stand above the names of the columns
    """

    separator: str
    quote: str = '"'
    backslash: bool = False
    spaced: bool = False
    above: int = 0


class Record(NamedTuple):
    """The fields of a record, its first and last line, its text as it stands, and what is wrong with its quotes."""

    fields: list[str]
    first: int
    last: int
    text: str
    fault: str

    @property
    def name(self) -> str:
        return f"line {self.first}" if self.first == self.last else f"lines {self.first} to {self.last}"


def records_of(text: str, dialect: Dialect) -> Iterator[Record]:
    """The records of a text, one after another; a line of nothing but spaces is none, unless there is one column."""
    # Only ever raised, never put back: another thread may be reading a long field under the same global limit.
    csv.field_size_limit(max(csv.field_size_limit(), min(sys.maxsize, 2**31 - 1)))
    lines, last = _Lines(text, dialect), 0
    for fields in _reader(lines, dialect):
        read = lines.taken()
        first, last = last + 1, last + len(read)
        record = "".join(read)
        if fields and not _is_blank(fields, record, dialect):
            fault = _quote_fault(record, dialect) if dialect.quote and dialect.quote in record else ""
            yield Record(fields, first, last, record, fault)


class _Lines:
    """The lines of a text as the reader takes them, and which it has taken since it was last asked."""

    def __init__(self, text: str, dialect: Dialect) -> None:
        self._lines, self._dialect = io.StringIO(text, newline=""), dialect
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._taken.append(line)
            yield _doubled(line, self._dialect.separator) if self._dialect.backslash else line

    def taken(self) -> list[str]:
        lines, self._taken = self._taken, []
        return lines


def dialect_of(text: str, *, tabs: bool = False) -> Dialect:
    """The separator of a text, by its first records. With `tabs`, tabs separate where the names of the columns do."""
    if declared := DECLARED.match(text):
        return Dialect(declared[1], above=1)
    ranked: list[tuple[tuple[bool, float, float, int], Dialect]] = []
    head = text[:LONGEST_HEADER].lstrip().splitlines()
    quote = "'" if head and in_single_quotes(head[0]) else '"'
    for separator in SEPARATORS:
        records = list(islice(records_of(text, Dialect(separator, quote)), SAMPLE)) if separator in text else []
        above = _records_above(records)
        widths = [len(record.fields) for record in records[above:]]
        if widths and widths[0] > 1:
            share = 1.0 if tabs and separator == "\t" else _share_that_fits(widths)
            sound = sum(not record.fault for record in records) / len(records)
            ranked.append(((not above and share >= HALF, share, sound, widths[0]), Dialect(separator, above=above)))
    if not ranked:
        return Dialect(next((mark for mark in UNUSED if mark not in text), UNUSED[0]))
    return max(ranked, key=lambda entry: entry[0])[1]


def in_single_quotes(header: str) -> bool:
    """Whether the names of the columns stand in single quotes."""
    names = header.strip()
    return len(names) > 1 and names[0] == names[-1] == "'"


def all_fit(records: Iterable[Record]) -> bool:
    """Whether all records have as many fields, and sound quotes."""
    widths = {len(record.fields) if not record.fault else -1 for record in records}
    return len(widths) == 1 and -1 not in widths


def _is_blank(fields: list[str], record: str, dialect: Dialect) -> bool:
    return len(fields) == 1 and dialect.separator in SEPARATORS and not record.strip()


def _reader(lines: Iterable[str], dialect: Dialect, *, strict: bool = False) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=dialect.separator,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar="\\" if dialect.backslash else None,
        skipinitialspace=dialect.spaced,
        strict=strict,
    )


def _doubled(line: str, separator: str) -> str:
    """The line with each backslash twice that stands before neither a quote, a separator nor another backslash."""
    pattern = rf'\\(["\\{re.escape(separator)}\r\n])|\\'
    return re.sub(pattern, lambda match: match[0] if match[1] else r"\\", line)


def _quote_fault(record: str, dialect: Dialect) -> str:
    """What is wrong with the quotes of a record, or nothing."""
    lines: Iterable[str] = io.StringIO(record, newline="")
    if dialect.backslash:
        lines = [_doubled(line, dialect.separator) for line in lines]
    try:
        list(_reader(lines, dialect, strict=True))
    except csv.Error as error:
        if "end of data" in str(error):
            return "a quote opens and is never closed: close it, or double each quote inside a field"
        return "a quote ends before the field does: double each quote inside a field"
    return ""


def _share_that_fits(widths: list[int]) -> float:
    """The share of records as wide as the first; a little less where all have one field more, or one less."""
    counts, rows = Counter(widths[1:]), max(1, len(widths) - 1)
    nearly = max(counts[widths[0] + 1], counts[widths[0] - 1]) if widths[0] > 2 else counts[widths[0] + 1]
    return max(counts[widths[0]], NEARLY * nearly) / rows if len(widths) > 1 else 1.0


def _records_above(records: list[Record]) -> int:
    """How many comments, titles and empty records stand above the names of the columns, if these are clear."""
    above = 0
    while above < min(MOST_ABOVE, len(records) - 1) and _is_title(records[above]):
        above += 1
    names, widths = records[above].fields if records else [], [len(record.fields) for record in records[above:]]
    clear = len(set(names)) == len(names) > 1 and all(map(_is_name, names))
    return above if clear and Counter(widths)[widths[0]] >= SHARE_BELOW * len(widths) else 0


def _is_title(record: Record) -> bool:
    filled = [field for field in record.fields if field.strip()]
    if record.text.startswith("# ") or not filled:
        return True
    return len(filled) == 1 and (len(record.fields) > 2 or " " in filled[0].strip())


def _is_name(field: str) -> bool:
    return not field.startswith(" ") and not field.replace(".", "", 1).replace("-", "", 1).isdecimal()
