"""Which column of a table plays which role.

Roles that are given (`Roles`) hold; roles that a fitted model remembers (`Columns`) hold next. The others go by this
rule, and each decision is put in words:

1. split: a column called split, fold or partition whose values all read train, val (valid, validation, dev) or test.
2. group: a column called group, groups, group_id, patient_id, subject_id, participant_id, speaker_id or user_id.
   domain: a column called domain or domain_id.
3. target: a column called target, label, labels, class, category, y or outcome, the first of these names that there is.
4. input: the first column of which most values are recordings or names of sound files, where numbers called start and
   end beside it are seconds in that file; else of pictures or names of picture files; else a text column: one called
   text, sentence, review, content, body, comment, message, tweet, sms or document that holds strings, not a few over
   and over; else the one with the most words of those that are called title, headline, question, description or so and
   have 2 words or more on average, or have 4 or more. In a text at least half of the rows are filled and at least half
   of these different. Of scripts without spaces two letters (of Thai and its kin four) count as a word.
   One of fewer than 8 words that is not called so is a name, not the input, beside 3 columns or more of which a table
   can learn (numbers, words that repeat).
5. target, where no name told: the last column that is not the input, not an identifier, no date, and no strings that
   are all different, unless it is all there is.
6. input, where there are neither pictures nor texts: all other columns, as a table; one column of words alone is text.
   Whatever is the only column left is the input.

Identifiers (see `profile.identity`), row counters (see `counters`), nested values, and in a table strings that are all
different are left out, and so are columns beside a picture or a text; each is named with its reason, and read all the
same where it is named as an input. Dates are read as the time and its place in the year, the week and the day; they
are never the target. Several inputs may be named: where all are words and one of them is a text they are one text, a
line each; else they are a table. Case does not matter in names.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from headstart.data.counters import count_of_rows
from headstart.data.inputs import BESIDE, bounds_of, inputs_of, looks, rest_of
from headstart.data.profile import all_different, identity, obstacle
from headstart.data.roles import Roles
from headstart.data.split_names import split_of
from headstart.data.tables import Table
from headstart.data.targets import is_missing
from headstart.errors import DataError, MissingColumn
from headstart.messages import by_name, did_you_mean, few
from headstart.tasks import AUDIO, TEXT, Modality
from headstart.tasks.task import Columns

__all__ = ["Assigned", "Roles", "assign"]

NAMES = {
    "split": ("split", "fold", "partition"),
    "group": ("group", "groups", "group_id", "patient_id", "subject_id", "participant_id", "speaker_id", "user_id"),
    "domain": ("domain", "domain_id"),
    "target": ("target", "label", "labels", "class", "category", "y", "outcome"),
}


class Assigned(NamedTuple):
    """The columns that play a role, what the inputs are, and how that was decided.

    counters   columns that are left out since they count the rows
    bounds     those that say where in its file each recording begins and ends
    """

    columns: Columns
    modality: Modality
    notes: list[str]
    counters: tuple[str, ...] = ()
    bounds: tuple[str | None, str | None] = (None, None)


def assign(table: Table, roles: Roles, columns: Columns | None = None, *, need_target: bool = True) -> Assigned:
    """Give the columns of `table` their roles. Raises DataError for a name that is missing, or where none is left."""
    for role, name in (*roles.named.items(), *(("input", name) for name in roles.inputs)):
        if role == "weight" and columns is not None:
            continue  # weights count in the fit alone
        _require(table, name, f"named as the {role}", role)
    if columns is not None and columns.input:
        assigned = _remembered(table, roles, columns, need_target)
    else:
        assigned = _inferred(table, roles, need_target)
    if assigned.columns.target is not None and assigned.columns.target in (
        *assigned.columns.input,
        assigned.columns.split,
    ):
        raise DataError(f"column {assigned.columns.target!r} cannot be the target and an input, or the split, at once")
    if assigned.columns.weight is not None and assigned.columns.weight in (
        assigned.columns.target,
        *assigned.columns.input,
    ):
        raise DataError(f"column {assigned.columns.weight!r} cannot be the weight and the target, or an input, at once")
    if assigned.columns.target is not None and _is_date(table, assigned.columns.target):
        raise DataError(
            f"column {assigned.columns.target!r} holds dates, which cannot be the target: derive what is asked for, "
            "such as a number of days or the name of a month, or name another target column"
        )
    if assigned.modality.has_columns:
        _require_readable(table, assigned.columns.input)
    if assigned.columns.split is not None:
        _require_split(table.frame[assigned.columns.split])
    return assigned


def _remembered(table: Table, roles: Roles, columns: Columns, need_target: bool) -> Assigned:
    """The roles of a fit: its inputs, and its target if needed, must be there; group and domain may be. What was split
    at the fit need not be split again, and where there is no target no row is lost to what only a fit looks at."""
    present = list(table.raw.columns)
    inputs = roles.inputs or columns.input
    for name in inputs:
        _require(table, name, "which the model reads", "input")
    target = (roles.target or columns.target) if need_target else None
    if target is not None:
        _require(table, target, "which the model predicts", "target")
    named = roles.named
    group, domain = (
        named.get(role) or (name if need_target and (name := getattr(columns, role)) in present else None)
        for role in ("group", "domain")
    )
    assigned_columns = Columns(inputs, target, named.get("split"), group, domain)
    roles_then = (columns.target, columns.split, columns.group, columns.domain, columns.weight)
    used = {*inputs, *roles_then, target, named.get("split"), group, domain}
    modality = roles.modality or looks(table, inputs, roles)
    bounds = bounds_of(table, present) if modality == AUDIO else (None, None)
    extra = [name for name in present if name not in (*used, *bounds)]
    notes = [f"columns that the model does not read, ignored: {few(extra)}"] if extra else []
    return Assigned(assigned_columns, modality, notes, (), bounds)


def _inferred(table: Table, roles: Roles, need_target: bool) -> Assigned:
    notes = [f"{role} column: {name!r} (as asked)" for role, name in roles.named.items()]
    by_role: dict[str, str] = dict(roles.named)
    free = [name for name in table.raw.columns if name not in (*roles.inputs, *by_role.values())]
    for role in ("split", "group", "domain", "target"):
        name = None if role in by_role else by_name(free, NAMES[role])
        if name is None:
            continue
        free.remove(name)
        if role == "split" and not _is_split(table.frame[name]):
            notes.append(f"left out: {name!r} (called as a split is, but its values are not train, val and test)")
            continue
        by_role[role] = name
        notes.append(f"{role} column: {name!r} (by its name)")
    inputs, modality, why = inputs_of(table, free, roles)
    bounds = bounds_of(table, free) if modality == AUDIO else (None, None)
    notes += [f"part of each recording, in seconds: {few(list(filter(None, bounds)))}"] if any(bounds) else []
    free = [name for name in free if name not in (*inputs, *bounds)]
    identities = {name: reason for name in free if (reason := identity(table.frame[name]))}
    free = [name for name in free if name not in identities]
    if need_target and "target" not in by_role:
        by_role["target"] = _last(free, table)
        free.remove(by_role["target"])
        notes.append(f"target column: {by_role['target']!r} (the last column)")
    if not inputs and not free and len(identities) == 1 and roles.modality != TEXT:
        free = list(identities)
        notes.append(f"{free[0]!r} looks as if it only told rows apart, but is the only column that is left")
        identities = {}
    if not inputs:
        inputs, modality, why, left_out = rest_of(table, free, roles.modality)
        notes += left_out
    elif free:
        notes.append(f"left out: {few(free)} ({BESIDE})")
    notes += [f"left out: {name!r} ({reason})" for name, reason in identities.items()]
    target = by_role.pop("target", None) if need_target else None
    counters = tuple(name for name in identities if count_of_rows(table.frame[name]))
    columns = Columns(
        inputs, target, by_role.get("split"), by_role.get("group"), by_role.get("domain"), by_role.get("weight")
    )
    return Assigned(columns, modality, [*notes, why], counters, bounds)


def _last(free: list[str], table: Table) -> str:
    """The last column that may be a target: no dates, and strings that are all different only if there is no other."""
    possible = [name for name in free if not _is_date(table, name)]
    if not possible:
        raise DataError(
            f"no column is left to be the target: the columns are {few(table.raw.columns)}. Name one as target"
        )
    return next((name for name in reversed(possible) if not all_different(table.frame[name])), possible[-1])


def _is_date(table: Table, name: str) -> bool:
    """Whether a column holds dates."""
    return table.typed[name].type.startswith("date")


def _require(table: Table, name: str, what: str, role: str) -> None:
    present = list(table.raw.columns)
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
