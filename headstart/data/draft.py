"""A task in the making: all rows that were found, which of them cannot be used, and the step to a `Task`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from headstart.data.labels import folded
from headstart.data.losses import causes_of, lost_rows
from headstart.data.multihot import from_multihot
from headstart.data.targets import code, infer_kind, is_missing, plain, require_kind, unusable
from headstart.data.weights import weights_of
from headstart.errors import DataError
from headstart.tasks import CLASSIFICATION
from headstart.tasks.task import Array, Columns, Inputs, Kind, Modality, SetAside, Task

__all__ = ["Draft", "finish"]

NO_COLUMNS = Columns()


@dataclass(kw_only=True)
class Draft:
    """Rows as a reader found them. `broken` says which rows cannot be used, and why.

    places   position of each row among the input rows as read, where some are not among these; None: 0, 1, 2, ...
    """

    inputs: Inputs
    modality: Modality
    names: Sequence[str]
    places: Sequence[int] | None = None
    targets: Any = None
    split: Sequence[Any] | None = None
    group: Sequence[Any] | None = None
    domain: Sequence[Any] | None = None
    weight: Sequence[Any] | None = None
    columns: Columns = NO_COLUMNS
    broken: dict[int, str] = field(default_factory=dict)
    set_aside: list[SetAside] = field(default_factory=list)
    counters: list[SetAside] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def finish(
    draft: Draft,
    kind: str | None,
    *,
    one_class: bool = False,
    partly: bool = False,
    as_given: bool = False,
    to_answer: bool = False,
) -> Task:
    """The task of the usable rows; the others are set aside by name.

    Where there are targets, labels are folded (see `labels`) unless they stay `as_given`, rows without one are set
    aside too (or stay with code -1 or NaN if `partly`, but not of many labels a row), the kind is inferred unless
    given, and a classification needs at least two classes unless `one_class`. Raises DataError where no row is left,
    unless `to_answer` and some were read: then the task is empty.
    """
    task_kind = require_kind(kind)
    answers = _answers(draft, task_kind, partly=partly, as_given=as_given)
    values, broken = answers.values, answers.lost | draft.broken
    weights, missing = (None, {}) if draft.weight is None else weights_of(draft.weight)
    broken = missing | broken
    rows = [row for row in range(len(draft.names)) if row not in broken]
    places = np.arange(len(draft.names)) if draft.places is None else np.array(draft.places, dtype=np.int64)
    aside = [SetAside(draft.names[row], broken[row], int(places[row])) for row in sorted(broken)]
    task = Task(
        inputs=draft.inputs,
        targets=None,
        kind=answers.kind or CLASSIFICATION,
        modality=draft.modality,
        names=draft.names,
        places=places,
        split=None if draft.split is None else np.array(draft.split, dtype=str),
        group=_named(draft.group, draft.names),
        domain=_named(draft.domain, None),
        weight=weights,
        columns=draft.columns,
        set_aside=(*draft.set_aside, *aside),
        counters=tuple(draft.counters),
        notes=(*draft.notes, *answers.notes),
    )
    if not rows and not (to_answer and task.n_read):
        raise DataError(_nothing_left(task.set_aside))
    task = _without_empty_split(task.take(rows))
    if values is None:
        return task
    targets, classes = _coded([values[row] for row in rows], task.kind, answers.labels)
    if task.kind.exclusive and len(classes) < 2 and not one_class:
        raise DataError(
            f"only one class, {classes[0]!r}, in all {len(task)} rows: nothing can be told apart. "
            f"Add rows of at least one other class{_and_lost(task)}"
        )
    return replace(task, targets=targets, classes=classes)


class _Answers(NamedTuple):
    """values of all rows, None where there are none; labels and kind as far as they are told; rows that are lost, and
    why; what there is to say."""

    values: Sequence[Any] | None
    labels: tuple[Hashable, ...]
    kind: Kind | None
    lost: dict[int, str]
    notes: tuple[str, ...]


def _answers(draft: Draft, kind: Kind | None, *, partly: bool, as_given: bool) -> _Answers:
    """What the targets of a draft are; options as in `finish`."""
    if draft.targets is None:
        return _Answers(None, (), kind, {}, ())
    values, notes = (plain(draft.targets), []) if as_given else folded(plain(draft.targets))
    if partly and all(map(is_missing, values)):
        return _Answers(None, (), kind, {}, tuple(notes))
    values, labels, note = from_multihot(values, draft.columns.classes)
    notes = [*notes, note] if note else notes
    if kind is None:
        kind, note = infer_kind([value for value in values if not is_missing(value)], draft.columns.target)
        notes = [*notes, note]
    lost = unusable(values, kind)
    if partly and not kind.several:
        lost = {row: why for row, why in lost.items() if not is_missing(values[row])}
    return _Answers(values, labels, kind, lost, tuple(notes))


def _coded(values: Sequence[Any], kind: Kind, labels: tuple[Hashable, ...]) -> tuple[Array, tuple[Hashable, ...]]:
    """As `targets.code`; -1 or NaN where a target is missing."""
    labelled = np.array([not is_missing(value) for value in values], dtype=bool)
    if labelled.all():
        return code(values, kind, labels)
    some, classes = code(
        [value for value, is_labelled in zip(values, labelled, strict=True) if is_labelled], kind, labels
    )
    targets = kind.unknown(len(values), some.dtype)
    targets[labelled] = some
    return targets, classes


def _and_lost(task: Task) -> str:
    """Which rows were left out before, since the other classes may be among them."""
    lost = lost_rows(task)
    return f", or mend the {len(lost):,} that cannot be used: {causes_of(lost)}" if lost else ""


def _without_empty_split(task: Task) -> Task:
    """A split that puts all rows on one side divides nothing, and is dropped."""
    if task.split is None or len(set(task.split)) != 1:
        return task
    return replace(
        task, split=None, notes=(*task.notes, f"split: all rows are {str(task.split[0])!r}, so there is none")
    )


def _named(values: Sequence[Any] | None, rows: Sequence[str] | None) -> Array | None:
    """Group or domain labels as text, folded. A missing one is a group of its own, named for its row; or domain ""."""
    if values is None:
        return None
    fallbacks = [f"({name} alone)" for name in rows] if rows is not None else [""] * len(values)
    labels = [alone if is_missing(value) else str(value) for value, alone in zip(plain(values), fallbacks, strict=True)]
    return np.array(folded(labels)[0], dtype=str)


def _nothing_left(set_aside: Sequence[SetAside]) -> str:
    if not set_aside:
        return "there are no rows: at least one is needed"
    first = set_aside[0]
    return f"no usable rows: all {len(set_aside)} were set aside, the first of them {first.name}: {first.why}"
