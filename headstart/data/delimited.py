"""Files of separated values, without a silent shift.

Every record has as many fields as the header, or is set aside with its line number. How the file is written is
recognised (see `encoding` and `dialect`), and said where it is not plain.
"""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

from headstart.data.dialect import SEPARATORS, Dialect, Record, all_fit, dialect_of, in_single_quotes, records_of
from headstart.data.encoding import damage, decode
from headstart.errors import DataError
from headstart.messages import few
from headstart.tasks.task import SetAside

__all__ = ["Records", "parse"]

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


def parse(data: bytes, *, tabs: bool = False) -> Records:
    """The records of a file; with `tabs`, tabs separate where the names of the columns have any.

    Raises DataError for a file that is empty, has no usable header or no rows, or in which a stray quote swallows
    many lines.
    """
    text, _, encoding = decode(data)
    dialect = dialect_of(text, tabs=tabs)
    records, dialect = _read(text, dialect)
    above, records = records[: dialect.above], records[dialect.above :]
    if not records:
        raise DataError("the file is empty: expected column names in line 1, then one row a line")
    names, body, shape = _aligned(records[0], records[1:])
    header = _header(records[0], names)
    if not body:
        raise DataError(f"the file has column names ({few(header, 5)}) and no rows")
    again = [name.strip() for name in names]
    faults = [_fault(record, len(header)) or _repeats(record, again) for record in body]
    places = [place for place, fault in enumerate(faults) if not fault]
    set_aside = [SetAside(body[place].name, fault, place) for place, fault in enumerate(faults) if fault]
    rows, lines = [body[place].fields for place in places], [body[place].first for place in places]
    notes = [note for note in (encoding, *_notes(dialect, above, tabs), *shape) if note]
    return Records(header, rows, lines, places, set_aside, dialect.separator, notes)


def _read(text: str, dialect: Dialect) -> tuple[list[Record], Dialect]:
    """The records by that meaning of the quotes by which the most can be used."""
    records = list(records_of(text, dialect))
    single = len(records) > dialect.above and in_single_quotes(records[dialect.above].text)
    spaced = any(field.startswith(' "') and field.endswith('"') for record in records for field in record.fields)
    if not single and not spaced and all_fit(records[dialect.above :]):
        return records, dialect
    readings = {dialect: records}
    if '\\"' in text:
        other = dialect._replace(backslash=True)
        readings[other] = list(records_of(text, other))
    if f'{dialect.separator} "' in text:
        other = dialect._replace(spaced=True)
        readings[other] = list(records_of(text, other))
    if single or "'" in text:
        other = dialect._replace(quote="'")
        readings[other] = list(records_of(text, other))
    best = max(
        readings,
        key=lambda reading: (
            _usable(readings[reading][reading.above :]),
            reading.spaced or (single and reading.quote == "'"),
        ),
    )
    plain = dialect._replace(quote="")
    if '"' in text and not all_fit(readings[best][best.above :]):
        unquoted = list(records_of(text, plain))
        if all_fit(unquoted[plain.above :]) and (plain.separator == "\t" or not any(map(_is_quoted, unquoted))):
            return unquoted, plain
    return readings[best], best


def _is_quoted(record: Record) -> bool:
    """Whether a field, quotes taken as plain characters, stands in quotes."""
    return any(len(field) > 1 and field[0] == field[-1] == '"' for field in record.fields)


def _usable(records: list[Record]) -> int:
    return sum(len(record.fields) == len(records[0].fields) and not record.fault for record in records)


def _aligned(first: Record, body: list[Record]) -> tuple[list[str], list[Record], list[str]]:
    """The names of the columns and the rows, without what a separator at the end of every line, or R, has added."""
    names, widths = list(first.fields), {len(record.fields) for record in body}
    if widths == {len(names) - 1} and len(names) > 2 and not names[-1].strip():
        return names[:-1], body, ["line 1 ends with a separator, which is left out"]
    if widths == {len(names) + 1}:
        if not any(record.fields[-1].strip() for record in body):
            shorter = [record._replace(fields=record.fields[:-1]) for record in body]
            return names, shorter, ["every row ends with a separator, which is left out"]
        if len(body) > 1 and [record.fields[0] for record in body] == [str(row) for row in range(1, len(body) + 1)]:
            return ["", *names], body, ["line 1 names no column for the numbers of the rows, as R writes them"]
    empty = [place for place, name in enumerate(names) if not name.strip() and _is_empty(body, place, len(names))]
    if not empty or len(empty) == len(names):
        return names, body, []
    columns = [place for place in range(len(names)) if place not in empty]
    body = [
        record._replace(fields=[record.fields[place] for place in columns])
        if len(record.fields) == len(names)
        else record
        for record in body
    ]
    note = f"{len(empty)} columns without a name or a value are left out"
    return [names[place] for place in columns], body, [note]


def _is_empty(body: list[Record], place: int, width: int) -> bool:
    """Whether no row has a value in this place."""
    fitting = [record for record in body if len(record.fields) == width]
    return bool(fitting) and not any(record.fields[place].strip() for record in fitting)


def _header(record: Record, names: list[str]) -> list[str]:
    if fault := _fault(record, len(record.fields)):
        raise DataError(f"{record.name} cannot be read as column names: {fault}")
    names = [name.strip() or f"column {place}" for place, name in zip(count(1), names, strict=False)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"column names must differ, and {few(twice)} stands more than once in {record.name}")
    return names


def _fault(record: Record, expected: int) -> str:
    """Why a record cannot be used, or nothing. Raises DataError where a stray quote took many lines with it."""
    if record.fault and record.last - record.first >= MOST_LINES_LOST:
        raise DataError(f"{record.name} cannot be told apart: {record.fault}")
    if strange := damage(record.text):
        return strange
    if record.fault:
        return record.fault
    if len(record.fields) != expected:
        return f"{len(record.fields)} fields where the header has {expected}"
    return ""


def _repeats(record: Record, names: list[str]) -> str:
    """Why a record that holds the names of the columns once more, as where files were put together, is no row."""
    first, *others = record.fields
    again = others and first.strip() == names[0] and [field.strip() for field in others] == names[1:]
    return "it repeats the names of the columns" if again else ""


def _notes(dialect: Dialect, above: list[Record], tabs: bool) -> list[str]:
    """What is not plain about the way the file is written."""
    notes = []
    declared = len(above) == 1 and above[0].text.strip().strip('"').lower().startswith("sep=")
    name = SEPARATORS.get(dialect.separator, repr(dialect.separator))
    if declared:
        notes.append(f"separator: {name} (line 1 says so)")
    elif dialect.separator not in SEPARATORS:
        notes.append("separator: none (one column)")
    elif dialect.separator != ("\t" if tabs else ","):
        notes.append(f"separator: {name} (by it the rows fit line {above[-1].last + 1 if above else 1})")
    if above and not declared:
        lines = f"lines 1 to {above[-1].last}" if above[-1].last > 1 else "line 1"
        notes.append(f"{lines} stand above the names of the columns and are passed over: {above[0].text.strip()!r:.60}")
    if dialect.backslash:
        notes.append("quotes inside fields have a backslash before them")
    if dialect.spaced:
        notes.append("a space stands between separators and quotes, and is left out")
    if dialect.quote == "'":
        notes.append("quotes are single")
    if not dialect.quote:
        notes.append("quotes are plain characters in this file: only so does every row fit")
    return notes
