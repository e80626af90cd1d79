"""The public `drift`: a log of served windows, or data, compared with what a model learnt from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.checks import at_least
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.deployment.monitoring.drift import FEWEST, RATE, Reference, Sums, WindowDrift, added, fingerprint_of
from headstart.deployment.monitoring.drift_log import Logged, is_log, read_log
from headstart.errors import DataError
from headstart.linalg.moments import blocks
from headstart.listener import LOGGED, Listener
from headstart.methods.answers import answer, features
from headstart.tasks.task import Array
from headstart.transfer import Transfer
from headstart.uncertainty.quantile import share_of

__all__ = ["Compared", "Drift", "drift"]

_TITLES = ("window", "rows", "MMD^2", "p", "strange", "p", "shares", "p", "")
_TEXT = (".log", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Compared:
    """A window: its name, and what it says."""

    name: str
    says: WindowDrift


@dataclass(frozen=True, kw_only=True)
class Drift:
    """windows   in their order
    rate      the share of windows of rows like those of the training that are said to have drifted
    notes     what is not compared, and what was passed over
    """

    windows: tuple[Compared, ...]
    rate: float
    notes: tuple[str, ...] = ()

    @property
    def drifted(self) -> tuple[Compared, ...]:
        """The windows that are unlike the training rows; `rate` of those that are like them are among these."""
        return tuple(window for window in self.windows if window.says.p < self.rate)

    @property
    def p(self) -> float:
        """Of all windows: the least probability times their number, at most 1."""
        return min(1.0, len(self.windows) * min(window.says.p for window in self.windows))

    @property
    def verdict(self) -> str:
        """In one sentence. Where all rows are like those of the training, it is one of drift with a probability of at
        most `rate`, of however many windows."""
        count, drifted = len(self.windows), self.drifted
        of = f"{len(drifted)} of {count} windows" if count > 1 else "the rows"
        if self.p < self.rate:
            where = f", first {drifted[0].name}" if count > 1 else ""
            are = "are" if count == 1 or len(drifted) != 1 else "is"
            return f"drift: {of} {are} unlike the training rows in {_what(drifted)} (p {_probability(self.p)}){where}"
        if drifted:
            return f"no drift beyond chance: {of} below p {self.rate:g}, where chance makes {count * self.rate:.2g}"
        return f"no drift: {'no window is' if count > 1 else 'the rows are not'} unlike the training rows" + (
            f" (least p {_probability(min(window.says.p for window in self.windows))})"
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        windows = [
            {"window": window.name, **window.says.to_json(), "drift": window.says.p < self.rate}
            for window in self.windows
        ]
        verdict = {"drift": self.p < self.rate, "p": self.p, "rate": self.rate, "verdict": self.verdict}
        return {**verdict, "windows": windows, "notes": list(self.notes)}

    def __str__(self) -> str:
        rows = [_TITLES, *(self._cells(window) for window in self.windows)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
        lines = [
            "  ".join(
                cell.ljust(width) if place in (0, len(row) - 1) else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, "", self.verdict, *(f"note: {note}" for note in self.notes)])

    def _cells(self, window: Compared) -> tuple[str, ...]:
        says = window.says
        cells = [window.name, f"{says.rows:,}"]
        for question, form in zip((says.mmd, says.strange, says.shares), (".4f", ".3f", ".3f"), strict=True):
            cells += ["-", "-"] if question is None else [f"{question.value:{form}}", _probability(question.p)]
        return (*cells, "drift" if says.p < self.rate else "")


def drift(
    model: Transfer | str | os.PathLike[str],
    data: Any,
    *,
    rows: int | None = None,
    rate: float = RATE,
    listener: Listener = LOGGED,
) -> Drift:
    """Whether inputs are still like those that a model learnt from.

    model   a fitted Transfer, or the folder of a saved model
    data    the log that `headstart serve --drift-log` writes, or inputs: a folder, files, a table or objects
    rows    windows of at least so many rows; None: those of the log as they are, and of inputs all in one
    rate    the share of windows of rows like those of the training that are said to have drifted

    Raises DataError for the log of another model, an empty one, and one of nothing but damaged lines; for a model that
    stores nothing to compare with; for fewer than 20 rows. ValueError for a rate that is no share.
    """
    share_of(rate, "the rate of false alarms")
    if rows is not None:
        at_least("rows", rows, FEWEST)
    fitted = model if isinstance(model, Transfer) else Transfer.load(Path(model))
    reference = Reference(fitted.model_)
    lacks = reference.lacks
    notes = [lacks] if lacks else []
    if _names_log(data):
        windows = list(_logged(Path(data), fingerprint_of(fitted.model_), rows, notes))
    else:
        windows = list(_of_inputs(fitted, reference, data, rows, listener, notes))
    compared = tuple(Compared(name, reference.compare(sums)) for name, sums in windows)
    return Drift(windows=compared, rate=rate, notes=tuple(notes))


def _names_log(data: Any) -> bool:
    """An empty file, and one that is not there, are taken for a log by their names."""
    if not isinstance(data, str | os.PathLike):
        return False
    path = Path(data)
    if path.is_file() and path.stat().st_size:
        return is_log(path)
    return path.suffix in _TEXT and not path.is_dir()


def _logged(path: Path, fingerprint: str, rows: int | None, notes: list[str]) -> Iterator[tuple[str, Sums]]:
    log = read_log(path, fingerprint)
    if log.others:
        notes.append(f"{log.others:,} windows of other models were passed over")
    if log.damaged:
        notes.append(f"{log.damaged:,} lines are no whole windows and were passed over")
    waiting: list[Logged] = []
    for window in log.windows:
        waiting.append(window)
        if sum(part.sums.rows for part in waiting) >= (rows or 0):
            yield _together(waiting)
            waiting = []
    if waiting:
        yield _together(waiting)


def _together(windows: list[Logged]) -> tuple[str, Sums]:
    began, ended = windows[0].began[:19], windows[-1].ended[:19]
    short = ended[11:] if ended[:10] == began[:10] else ended.replace("T", " ")
    return f"{began.replace('T', ' ')} to {short}", added(window.sums for window in windows)


def _of_inputs(
    fitted: Transfer, reference: Reference, data: Any, rows: int | None, listener: Listener, notes: list[str]
) -> Iterator[tuple[str, Sums]]:
    model = fitted.model_
    task = read(
        data, roles=Roles(modality=model.modality), need_target=False, columns=model.columns, to_answer=True
    )  # as `predict` reads
    if len(task) < FEWEST:
        raise DataError(f"{len(task)} rows are too few to compare: expected {FEWEST} or more")
    seen = fitted.look(task, listener=listener)
    if seen.task.set_aside:
        notes.append(f"{len(seen.task.set_aside):,} inputs could not be read")
    x: Any = features(model, seen)
    values: Array = answer(model, seen)
    size = x.shape[0] if rows is None else rows
    for part in blocks(x.shape[0], max(1, size)):
        if rows is None or min(part.stop, x.shape[0]) - part.start >= FEWEST:
            yield f"rows {part.start + 1:,} to {part.stop:,}", reference.sums(x[part], values[part])


def _what(windows: tuple[Compared, ...]) -> str:
    """What the windows differ in, the most often named first."""
    names = ("their features", "rows far from all training rows", "the shares of the classes")
    counts = [0, 0, 0]
    for window in windows:
        asked = (window.says.mmd, window.says.strange, window.says.shares)
        least = min(question.p for question in asked if question is not None)
        for place, question in enumerate(asked):
            counts[place] += question is not None and question.p <= max(least, 1e-6)
    order = sorted((place for place in range(3) if counts[place]), key=lambda place: -counts[place])
    *first, last = [names[place] for place in order]
    return f"{', '.join(first)} and {last}" if first else last


def _probability(p: float) -> str:
    return "<.0001" if p < 1e-4 else f"{p:.4f}".removeprefix("0")
