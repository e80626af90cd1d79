"""A source task and a target task on common ground: the columns that both have, and one order of classes."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, cast

import numpy as np
import pandas as pd

from headstart.data.targets import recode
from headstart.errors import DataError
from headstart.messages import few
from headstart.tasks.task import Array, Columns, Task

__all__ = ["Pair", "apart", "foreign", "named", "pair"]


class Pair(NamedTuple):
    """Two tasks with the same columns and the same `classes`, those of the source; and in words what was left out.

    open   labels that only the target has, and how many of its rows, which are set aside: whoever learns from the
           source cannot answer them
    """

    source: Task
    target: Task
    notes: tuple[str, ...] = ()
    open: tuple[tuple[object, int], ...] = ()


def pair(source: Task, target: Task, *, blind: bool = False) -> Pair:
    """Bring two tasks together. The source must be labelled; the target may be.

    blind   whether rows of the target stay whatever their answers are: one that the source does not have is then as
            good as none

    Raises DataError where they are not of one modality and kind, have no column or no label in common, or the source
    has no labels.
    """
    if source.targets is None:
        raise DataError("the source data have no labels: knowledge comes from them, so name the column that holds them")
    if source.modality != target.modality:
        raise DataError(
            f"the source data hold {source.modality} inputs, the target data {target.modality}: give both in one form"
        )
    if target.targets is not None and source.kind != target.kind:
        raise DataError(f"the source asks for {source.kind}, the target for {target.kind}: say which with kind")
    source, target, notes = _columns(source, target)
    if not source.kind.exclusive or target.targets is None:
        return Pair(source, replace(target, kind=source.kind, classes=source.classes), notes)
    return _classes(source, target, notes, blind)


def apart(both: Pair) -> Pair:
    """Both with groups of their own: two clinics number their patients alike, unless somebody says that they do not."""
    ours, theirs = both.source.group, both.target.group
    shared = set() if ours is None or theirs is None else (set(ours.tolist()) & set(theirs.tolist())) - {None}
    if ours is None or not shared:
        return both
    groups = np.array([group if group is None else f"source: {group}" for group in ours.tolist()], dtype=object)
    note = (
        f"{len(shared):,} groups of one task are called as one of the other is, and are taken for others: "
        "name their column with group if they are the same"
    )
    return both._replace(source=replace(both.source, group=groups), notes=(*both.notes, note))


def foreign(strange: tuple[tuple[object, int], ...], what: str = "set aside") -> tuple[str, ...]:
    """Labels that only the target has, in words; () where there are none."""
    if not strange:
        return ()
    labels, rows = [label for label, _ in strange], sum(count for _, count in strange)
    return (
        f"labels that only the target has: {few(labels)}; their {rows:,} rows are {what}, since nobody who learns from "
        "the source could answer them",
    )


def named(columns: Columns | None, source: Columns | None) -> Columns | None:
    """The columns of the target; what they do not name, as the source has it."""
    if columns is None or source is None or columns.target is not None:
        return columns
    return columns._replace(target=source.target, classes=columns.classes or source.classes)


def _columns(source: Task, target: Task) -> tuple[Task, Task, tuple[str, ...]]:
    ours, theirs = _names(target), _names(source)
    if not source.modality.has_names:
        if len(theirs) != len(ours):
            raise DataError(
                f"the source has {len(theirs)} columns, the target {len(ours)}: arrays have no names to match them by"
            )
        return source, target, ()
    shared = [name for name in ours if name in theirs]
    if not shared:
        raise DataError(f"no column in common: the source has {few(theirs)}, the target {few(ours)}; rename some")
    notes = [f"columns that both have: {few(shared)}"]
    for where, names in (("source", theirs), ("target", ours)):
        if lost := [name for name in names if name not in shared]:
            notes.append(f"columns that only the {where} has are left out: {few(lost)}")
    return _only(source, shared), _only(target, shared), tuple(notes) if len(notes) > 1 else ()


def _names(task: Task) -> list[str]:
    """The columns of a table or an array; none of other inputs."""
    cells = task.modality.cells(task.inputs)
    return [] if cells is None else [str(name) for name in cells.columns]


def _only(task: Task, names: list[str]) -> Task:
    frame = cast(pd.DataFrame, task.inputs)
    by_name = {str(label): label for label in frame.columns}
    columns = None if task.columns is None else task.columns._replace(input=tuple(names))
    return replace(task, inputs=frame[[by_name[name] for name in names]].set_axis(names, axis=1), columns=columns)


def _classes(source: Task, target: Task, notes: tuple[str, ...], blind: bool) -> Pair:
    """The target in the source's codes; its rows of other labels are set aside, or where `blind` have none."""
    source_labels = {str(label) for label in source.classes}
    answers = cast(Array, target.targets)
    counts = np.bincount(answers[answers >= 0], minlength=len(target.classes)).tolist()
    strange = tuple(
        (label, n) for label, n in zip(target.classes, counts, strict=True) if str(label) not in source_labels
    )
    if len(strange) == len(target.classes):
        raise DataError(f"no label in common: the source has {few(source.classes)}, the target {few(target.classes)}")
    lacking = [
        label for label in source.classes if str(label) not in {str(target_label) for target_label in target.classes}
    ]
    if lacking:
        notes += (f"labels that only the source has: {few(lacking)}",)
    notes += foreign(strange, "not tested" if blind else "set aside")
    if strange and blind:
        at = {str(label): code for code, label in enumerate(source.classes)}
        place = np.array([at.get(str(label), -1) for label in target.classes] + [-1])
        return Pair(source, replace(target, targets=place[answers], classes=source.classes), notes, strange)
    coded = recode(target, source.classes)
    if strange:
        why = "its label is not one that the source has"
        fresh = len(target.set_aside)
        renamed = tuple(item._replace(why=why) for item in coded.set_aside[fresh:])
        coded = replace(coded, set_aside=target.set_aside + renamed)
    return Pair(source, coded, notes, strange)
