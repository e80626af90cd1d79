"""Comma, semicolon and tab separated files, without a silent shift.

Every record has as many fields as the header, or is set aside with its line number. Quoted fields may hold separators,
line breaks, and quotes written twice (RFC 4180).
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from headstart.data.naming import few
from headstart.data.task import SetAside
from headstart.errors import DataError

__all__ = ["Records", "parse"]

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
NOT_UTF8 = re.compile("[\udc80-\udcff]")
MOST_LINES_LOST = 20


class Records(NamedTuple):
    """Column names, the rows that fit them, the line where each starts, and what was set aside.

    places   position of each of the rows among all records, those set aside counted too
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    places: list[int]
    set_aside: list[SetAside]
    separator: str
    notes: list[str]


class _Record(NamedTuple):
    fields: list[str]
    first: int
    last: int
    text: str
    fault: str

    @property
    def name(self) -> str:
        return f"line {self.first}" if self.first == self.last else f"lines {self.first} to {self.last}"


def parse(data: bytes, *, tabs: bool = False) -> Records:
    """The records of a file. Separator: tab if `tabs`, else comma, unless line 1 holds more semicolons or tabs.

    A tab-separated file in which every record fits only if quotes are plain characters is read so. Raises DataError
    for a file that is empty, has no usable header or no rows, or in which a stray quote swallows many lines.
    """
    text = _text(data)
    separator = "\t" if tabs else max(SEPARATORS, key=re.split("[\r\n]", text, maxsplit=1)[0].count)
    notes = [] if tabs or separator == "," else [f"separator: {SEPARATORS[separator]} (line 1 holds more of them)"]
    records = list(_records(text, separator, quoted=True))
    if separator == "\t" and '"' in text and not _all_fit(records):
        plain = list(_records(text, separator, quoted=False))
        if _all_fit(plain):
            records = plain
            notes.append("quotes are plain characters in this file: only so does every row fit")
    if not records:
        raise DataError("the file is empty: expected column names in line 1, then one row a line")
    header, body = _header(records[0]), records[1:]
    if not body:
        raise DataError(f"the file has column names ({few(header, 5)}) and no rows")
    faults = [_fault(record, len(header)) for record in body]
    places = [place for place, fault in enumerate(faults) if not fault]
    set_aside = [SetAside(body[place].name, fault, place) for place, fault in enumerate(faults) if fault]
    rows, lines = [body[place].fields for place in places], [body[place].first for place in places]
    return Records(header, rows, lines, places, set_aside, separator, notes)


def _text(data: bytes) -> str:
    """Text in which a byte that is not UTF-8 stands as a surrogate, so that only its own row is lost."""
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-8-sig", "surrogateescape")
    try:
        return data.decode("utf-16")
    except UnicodeDecodeError as error:
        raise DataError(f"the file starts as UTF-16 and is not ({error.reason}): save it as UTF-8") from error


def _records(text: str, separator: str, *, quoted: bool) -> Iterator[_Record]:
    # Only ever raised, never put back: another thread may be reading a long field under the same global limit.
    csv.field_size_limit(max(csv.field_size_limit(), min(sys.maxsize, 2**31 - 1)))
    read: list[str] = []

    def feed() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            read.append(line)
            yield line

    last = 0
    for fields in csv.reader(feed(), delimiter=separator, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE):
        first, last = last + 1, last + len(read)
        record = "".join(read)
        if fields:
            fault = _quote_fault(record, separator) if quoted and '"' in record else ""
            yield _Record(fields, first, last, record, fault)
        read.clear()


def _quote_fault(record: str, separator: str) -> str:
    """What is wrong with the quotes of a record, or nothing."""
    try:
        list(csv.reader(io.StringIO(record, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        if "end of data" in str(error):
            return "a quote opens and is never closed: close it, or double each quote inside a field"
        return "a quote ends before the field does: double each quote inside a field"
    return ""


def _all_fit(records: list[_Record]) -> bool:
    return len({len(record.fields) for record in records}) == 1 and not any(record.fault for record in records)


def _header(record: _Record) -> list[str]:
    if fault := _fault(record, len(record.fields)):
        raise DataError(f"{record.name} cannot be read as column names: {fault}")
    names = [name.strip() or f"column {place}" for place, name in enumerate(record.fields, 1)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"column names must differ, and {few(twice)} stands more than once in {record.name}")
    return names


def _fault(record: _Record, expected: int) -> str:
    """Why a record cannot be used, or nothing. Raises DataError where a stray quote took many lines with it."""
    if record.fault and record.last - record.first >= MOST_LINES_LOST:
        raise DataError(f"{record.name} cannot be told apart: {record.fault}")
    if strange := NOT_UTF8.search(record.text):
        return f"not UTF-8 (byte 0x{ord(strange.group()) - 0xDC00:02x}): save the file as UTF-8"
    if "\0" in record.text:
        return "holds a NUL byte: the file is damaged, binary, or UTF-16 without its mark"
    if record.fault:
        return record.fault
    if len(record.fields) != expected:
        return f"{len(record.fields)} fields where the header has {expected}"
    return ""
