"""A race that runs, was stopped or is over, from the outside: what was tried so far. Nothing is written."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from headstart.automl.race.storage import FILE, META, race_folder, running
from headstart.errors import RaceError
from headstart.evidence.plain import plain
from headstart.messages import lasting

__all__ = ["RaceView", "Row", "look_at", "rows_before"]

_TRIALS = """
    SELECT studies.study_name, trials.number, trials.state, trial_values.value, trials.trial_id
    FROM trials JOIN studies USING (study_id) LEFT JOIN trial_values USING (trial_id)
    ORDER BY trials.trial_id
"""
_SETTINGS = "SELECT param_name, param_value, distribution_json FROM trial_params WHERE trial_id = ?"
_ANSWERS = """
    SELECT key, value_json FROM study_user_attributes JOIN studies USING (study_id)
    WHERE study_name = ? AND key LIKE ?
"""
_STATES = {"COMPLETE": "tried", "RUNNING": "running", "WAITING": "to come", "FAIL": "failed", "PRUNED": "failed"}


class Row(NamedTuple):
    """A setting: state "tried", "running" or "failed"; its loss, None where not known; folds that it answered, seconds
    of all of them; why it failed, or ""."""

    name: str
    state: str
    loss: float | None
    folds: int
    seconds: float
    why: str
    options: dict[str, Any]


class RaceView(NamedTuple):
    """folder   where the race is kept; running: whether a process holds it now
    rows     the settings, from the lowest loss on
    set_aside   files of earlier races beside it
    """

    folder: str
    running: bool
    rows: tuple[Row, ...]
    set_aside: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return dict(plain(self))

    def __str__(self) -> str:
        tried = sum(row.state == "tried" for row in self.rows)
        spent = sum(row.seconds for row in self.rows)
        state = "it runs" if self.running else "it does not run now"
        lines = [f"{tried} settings tried in {lasting(spent)} of trials; {state}", ""]
        width = max((len(row.name) for row in self.rows), default=4)
        lines.append(f"{'setting':<{width}}   loss  folds  seconds  state")
        for row in self.rows:
            loss = "" if row.loss is None else f"{row.loss:.3f}"
            state = f"{row.state}: {row.why}" if row.why else row.state
            lines.append(f"{row.name:<{width}}  {loss:>5}  {row.folds:>5}  {row.seconds:>7.1f}  {state}")
        lines += [f"set aside: {name}" for name in self.set_aside]
        if self.rows:
            lines += ["", "losses on other folds are not compared: the evidence of the model says who leads"]
        return "\n".join(lines)


def look_at(model: str) -> RaceView:
    """The race beside the folder of a model, or in a folder of its own. RaceError where there is none."""
    folder = next((place for place in (race_folder(model), Path(model)) if (place / FILE).is_file()), None)
    if folder is None:
        raise RaceError(
            f"there is no race at {race_folder(model)}: `headstart fit DATA --out {model} --budget 10m` begins one"
        )
    try:
        with closing(sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True)) as database:
            rows = [_row(database, *record) for record in database.execute(_TRIALS).fetchall()]
    except sqlite3.DatabaseError as error:
        raise RaceError(
            f"{folder / FILE} cannot be read ({error}): the next race in this place sets it aside and begins anew"
        ) from error
    rows = [row for row in rows if row.state != "to come"]
    aside = tuple(sorted(path.name for path in folder.glob(f"{FILE}.*") if path.name != FILE))
    ordered = sorted(rows, key=lambda row: (row.loss is None, row.loss or 0.0))
    return RaceView(str(folder), running(folder), tuple(ordered), aside)


def rows_before(folder: Path, data: str) -> int | None:
    """How many rows of these data the race in a folder is of; None where there is none, or it is of others."""
    try:
        with closing(sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True)) as database:
            stored = {key: json.loads(text) for key, text in database.execute(_ANSWERS, (META, "%")).fetchall()}
    except sqlite3.DatabaseError:  # missing or damaged: whoever opens it for writing sets it aside by name
        return None
    return int(stored["rows"]) if stored.get("data") == data and "rows" in stored else None


def _row(database: sqlite3.Connection, arm: str, number: int, state: str, value: float | None, trial: int) -> Row:
    why, seconds, folds = "", 0.0, 0
    for key, text in database.execute(_ANSWERS, (arm, f"{number}.%")):
        record = json.loads(text)
        if key == f"{number}.why":
            why = str(record)
        else:
            folds, seconds = folds + 1, seconds + float(record["seconds"])
    options = {}
    for name, stored, distribution in database.execute(_SETTINGS, (trial,)):
        choices = json.loads(distribution)["attributes"].get("choices")
        options[name] = stored if choices is None else choices[int(stored)]
    name = f"{arm}, trial {number}" if options else arm
    return Row(name, _STATES.get(state, state), value, folds, seconds, why, options)
