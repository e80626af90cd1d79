"""Which column of a table plays which role.

Roles that are given (`Roles`) hold; roles that a fitted model remembers (`Columns`) hold next. The others go by this
rule, and each decision is put in words:

1. split: a column called split, fold or partition whose values all read train, val (valid, validation, dev) or test.
2. group: a column called group, groups, group_id, patient_id, subject_id, participant_id, speaker_id or user_id.
   domain: a column called domain or domain_id.
3. target: a column called target, label, labels, class, category, y or outcome, the first of these names that there is.
4. input: the first column of which most values are pictures or names of picture files; else a text column (strings,
   at least half of them different, of 4 words or more on average): one called text, sentence, review, content, body,
   comment, message, tweet or document, else the one with the most words.
5. target, where no name told: the last column that is not the input and not an identifier.
6. input, where there are neither pictures nor texts: all other columns, as a table; one column of words alone is text.

Identifiers (see `profile.is_identifier`), dates and nested values are left out, and so are columns beside a picture or
a text. Several inputs may be named: where all are words and one of them is a text they are one text, a line each; else
they are a table. Case does not matter in names.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from headstart.data.inputs import inputs_of, looks, rest_of
from headstart.data.naming import by_name, did_you_mean, few
from headstart.data.profile import is_identifier, obstacle
from headstart.data.roles import Roles
from headstart.data.split_names import split_of
from headstart.data.tables import Table
from headstart.data.targets import is_missing
from headstart.data.task import Columns, Modality
from headstart.errors import DataError, MissingColumn

__all__ = ["Assigned", "Roles", "assign"]

NAMES = {
    "split": ("split", "fold", "partition"),
    "group": ("group", "groups", "group_id", "patient_id", "subject_id", "participant_id", "speaker_id", "user_id"),
    "domain": ("domain", "domain_id"),
    "target": ("target", "label", "labels", "class", "category", "y", "outcome"),
}


class Assigned(NamedTuple):
    """The columns that play a role, what the inputs are, and how that was decided."""

    columns: Columns
    modality: Modality
    notes: list[str]


def assign(table: Table, roles: Roles, columns: Columns | None = None, *, need_target: bool = True) -> Assigned:
    """Give the columns of `table` their roles. Raises DataError for a name that is missing, or where none is left."""
    for role, name in (*roles.named.items(), *(("input", name) for name in roles.inputs)):
        _require(table, name, f"named as the {role}", role)
    if columns is not None and columns.input:
        found = _remembered(table, roles, columns, need_target)
    else:
        found = _inferred(table, roles, need_target)
    if found.columns.target is not None and found.columns.target in (*found.columns.input, found.columns.split):
        raise DataError(f"column {found.columns.target!r} cannot be the target and an input, or the split, at once")
    if found.modality in ("table", "array"):
        _require_readable(table, found.columns.input)
    if found.columns.split is not None:
        _require_split(table.frame[found.columns.split])
    return found


def _remembered(table: Table, roles: Roles, columns: Columns, need_target: bool) -> Assigned:
    """The roles of a fit: its inputs, and its target if needed, must be there; group and domain may be. What was split
    at the fit need not be split again, and where there is no target no row is lost to what only a fit looks at."""
    present = list(table.frame.columns)
    inputs = roles.inputs or columns.input
    for name in inputs:
        _require(table, name, "which the model reads", "input")
    target = (roles.target or columns.target) if need_target else None
    if target is not None:
        _require(table, target, "which the model predicts", "target")
    known = {role: getattr(columns, role) for role in ("group", "domain") if need_target}
    others = {
        role: roles.named.get(role) or (name if (name := known.get(role)) in present else None)
        for role in ("split", "group", "domain")
    }
    found = Columns(inputs, target, **others)
    used = {*inputs, *columns[1:], target, *others.values()}
    extra = [name for name in present if name not in used]
    notes = [f"columns that the model does not read, ignored: {few(extra)}"] if extra else []
    return Assigned(found, roles.modality or looks(table, inputs), notes)


def _inferred(table: Table, roles: Roles, need_target: bool) -> Assigned:
    notes = [f"{role} column: {name!r} (as asked)" for role, name in roles.named.items()]
    found: dict[str, str] = dict(roles.named)
    free = [name for name in table.frame.columns if name not in (*roles.inputs, *found.values())]
    for role in ("split", "group", "domain", "target"):
        name = None if role in found else by_name(free, NAMES[role])
        if name is None:
            continue
        free.remove(name)
        if role == "split" and not _is_split(table.frame[name]):
            notes.append(f"left out: {name!r} (called as a split is, but its values are not train, val and test)")
            continue
        found[role] = name
        notes.append(f"{role} column: {name!r} (by its name)")
    inputs, modality, why = inputs_of(table, free, roles)
    free = [name for name in free if name not in inputs]
    identifiers = [name for name in free if is_identifier(table.frame[name])]
    free = [name for name in free if name not in identifiers]
    if need_target and "target" not in found:
        found["target"] = _last(free, table)
        free.remove(found["target"])
        notes.append(f"target column: {found['target']!r} (the last column)")
    if not inputs:
        inputs, modality, why, left_out = rest_of(table, free, roles.modality)
        notes += left_out
    elif free:
        notes.append(f"left out: {few(free)} (beside the input; name several columns as input to read them together)")
    if identifiers:
        notes.append(f"left out: {few(identifiers)} (all different: they only tell rows apart)")
    target = found.pop("target", None) if need_target else None
    others = {role: found.get(role) for role in ("split", "group", "domain")}
    return Assigned(Columns(inputs, target, **others), modality, [*notes, why])


def _last(free: list[str], table: Table) -> str:
    possible = [name for name in free if not obstacle(table.frame[name]).startswith("dates")]
    if not possible:
        raise DataError(
            f"no column is left to be the target: the columns are {few(table.frame.columns)}. Name one as target"
        )
    return possible[-1]


def _require(table: Table, name: str, what: str, role: str) -> None:
    present = list(table.frame.columns)
    if name not in present:
        hint = did_you_mean(name, present)
        raise MissingColumn(f"no column {name!r}, {what}: the columns are {few(present, 20)}.{hint}", role)


def _require_readable(table: Table, inputs: tuple[str, ...]) -> None:
    for name in inputs:
        if why := obstacle(table.frame[name]):
            raise DataError(f"column {name!r} cannot be an input ({why})")


def _is_split(column: pd.Series[Any]) -> bool:
    return all(is_missing(value) or split_of(value) for value in column.tolist())


def _require_split(column: pd.Series[Any]) -> None:
    if not _is_split(column):
        strange = sorted({str(value) for value in column.tolist() if not is_missing(value) and not split_of(value)})
        raise DataError(f"the split column {column.name!r} holds {few(strange, 5)}: expected train, val and test only")
