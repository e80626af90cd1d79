"""The rows that a report shows, read again from where the fit read them, and compared with their content keys."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from headstart.data.bit_depth import Window
from headstart.data.content import content_keys
from headstart.data.join import join
from headstart.data.multi_task import kinds_named, read_multi_task, with_test
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.errors import DataError
from headstart.evidence.examples import RowName
from headstart.evidence.origin import Origin
from headstart.reports.media import Media, media_of
from headstart.tasks.modality import modality_named
from headstart.tasks.task import Task

__all__ = ["BUDGET", "Inputs", "Rows", "rows_again"]

BUDGET = 1_300_000
"""Letters that all rows together may take on the page."""
Gap = tuple[str, dict[str, Any]]
"""Why there is nothing: a key of the words, and its values."""


class Inputs(NamedTuple):
    """media     of the rows that could be read and are as they were
    gap       why there is none at all
    changed   how many rows are not what they were, or cannot be read
    full      how many were left out since the page was full
    """

    media: dict[RowName, Media]
    gap: Gap | None = None
    changed: int = 0
    full: int = 0


class Rows(NamedTuple):
    """The data as they are now, or why they cannot be read.

    window   of pictures of more than 8 bits
    budget   letters that the rows of one model may take
    """

    task: Task | None
    gap: Gap | None = None
    window: Window | None = None
    budget: int = BUDGET

    def shown(self, rows: Iterable[RowName]) -> Inputs:
        """What these rows hold, in this order until there is no more room."""
        if self.task is None:
            return Inputs({}, self.gap)
        return _of_rows(self.task, list(dict.fromkeys(rows)), self.window, self.budget)


def rows_again(
    origin: Origin | None, config: dict[str, Any], targets: Sequence[str] = (), *, budget: int = BUDGET
) -> Rows:
    """The data of a model, or of a model of several targets, read where the fit read them."""
    if origin is None:
        return Rows(None, ("inputs.unknown", {}))
    if origin.withheld:
        return Rows(None, ("inputs.withheld", {}))
    if origin.data is None:
        return Rows(None, ("inputs.memory", {}))
    try:
        task = _read_several(origin, config, targets) if targets else _read(origin, config)
    except (DataError, OSError, ImportError) as error:
        return Rows(None, ("inputs.moved", {"path": origin.data, "why": _reason(error)}))
    return Rows(task, None, _window(config), budget)


def _read(origin: Origin, config: dict[str, Any]) -> Task:
    """As the fit read them; the targets, which say nothing here, may be missing in some rows."""
    roles = _roles(origin, config)
    partly = origin.source is not None
    task = read(origin.data, roles=roles, kind=origin.kind, partly=partly)
    if origin.test is None:
        return task
    test = read(origin.test, roles=roles, kind=task.kind, columns=task.columns)
    return join(task, test)


def _read_several(origin: Origin, config: dict[str, Any], targets: Sequence[str]) -> Task:
    roles, kinds = _roles(origin, config), kinds_named(origin.kind, targets)
    tasks = read_multi_task(origin.data, targets, roles=roles, kinds=kinds)
    if origin.test is None:
        return tasks.task
    columns = {name: answer.columns for name, answer in zip(tasks.names, tasks.answers, strict=True)}
    kinds = tuple(answer.kind for answer in tasks.answers)
    return with_test(tasks, read_multi_task(origin.test, targets, roles=roles, kinds=kinds, columns=columns)).task


def _roles(origin: Origin, config: dict[str, Any]) -> Roles:
    named: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in origin.roles.items() if value
    }
    return replace(Roles(**named), modality=modality_named(config["modality"]))


def _of_rows(task: Task, rows: list[RowName], window: Window | None, budget: int) -> Inputs:
    at = {place: row for row, place in enumerate(task.positions.tolist())}
    media: dict[RowName, Media] = {}
    changed = full = used = 0
    for name in rows:
        shown = _media(task, at.get(name.place), name, window)
        if shown is None:
            changed += 1
        elif used + shown.weight > budget:
            full += 1
        else:
            media[name] = shown
            used += shown.weight
    return Inputs(media, None, changed, full)


def _media(task: Task, row: int | None, name: RowName, window: Window | None) -> Media | None:
    """None where the row is another than it was, or cannot be read any more."""
    if row is None:
        return None
    try:
        key = content_keys(task.take([row]).inputs, task.modality)[0]
        return media_of(task, row, window) if key.hex().startswith(name.key) else None
    except (DataError, OSError, ImportError, TypeError):
        return None


def _window(config: dict[str, Any]) -> Window | None:
    preprocess = (config["backbone"] or {}).get("preprocess") or {}
    window = preprocess.get("window")
    return None if window is None else (float(window[0]), float(window[1]))


def _reason(error: Exception) -> str:
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return os.fspath(words).splitlines()[0][:200]
