"""JSON lines: one JSON object a line. A line that is none is set aside with its number."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from headstart.data.encoding import damage, decode
from headstart.errors import DataError
from headstart.tasks.task import SetAside

__all__ = ["Objects", "parse"]


class Objects(NamedTuple):
    """The objects of a file, the line of each, its place among those not blank, and what was set aside."""

    rows: list[dict[str, Any]]
    lines: list[int]
    places: list[int]
    set_aside: list[SetAside]
    notes: list[str]


def parse(data: bytes) -> Objects:
    """The objects in a file's bytes; blank lines are no rows. Raises DataError where there is no object at all."""
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    places: list[int] = []
    set_aside: list[SetAside] = []
    text, _, note = decode(data)
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(" \t\r\v\f"):
            continue
        place = len(rows) + len(set_aside)
        try:
            rows.append(_object(line))
            lines.append(number)
            places.append(place)
        except (ValueError, RecursionError) as error:
            why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            set_aside.append(SetAside(f"line {number}", why, place))
    if not rows:
        first = f"; {set_aside[0].name}: {set_aside[0].why}" if set_aside else ""
        raise DataError(f'no JSON object in the file{first}. Expected one a line: {{"text": "...", "label": "..."}}')
    return Objects(rows, lines, places, set_aside, [note] if note else [])


def _object(line: str) -> dict[str, Any]:
    """Raises ValueError that says why the line is no object with distinct, whole strings."""
    if strange := damage(line):
        raise ValueError(strange)
    try:
        record = json.loads(line, object_pairs_hook=_distinct)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(record, dict):
        raise ValueError(f"a JSON {type(record).__name__}, where an object in braces is expected")
    if "\\ud" in line.lower():
        _require_whole(record)
    return record


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands more than once")
    return record


def _require_whole(record: dict[str, Any]) -> None:
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half a character (a lone surrogate such as \\ud800)") from error
