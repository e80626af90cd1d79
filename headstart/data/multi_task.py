"""Several targets of the same inputs: from a table with a column each, or from objects, to one task and its answers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart.data.arrays import draft_of_inputs
from headstart.data.containers import contained
from headstart.data.draft import Draft, finish
from headstart.data.join import join
from headstart.data.roles import Roles
from headstart.data.tables import Table, is_table_name, of_frame, read_table
from headstart.data.tabular import draft_of
from headstart.data.target_values import column_of
from headstart.errors import DataError
from headstart.messages import did_you_mean, few, shown
from headstart.tasks.side_by_side import SideBySide, side_by_side
from headstart.tasks.task import Array, Columns, SetAside, Task

__all__ = [
    "MultiTaskData",
    "columns_of",
    "kinds_named",
    "multi_task_of",
    "read_multi_task",
    "table_of",
    "targets_among",
    "targets_named",
    "with_test",
]

NO_ROLES = Roles()


@dataclass(frozen=True)
class MultiTaskData:
    """Inputs, and what is known of several targets.

    task     the rows of which some answer is known, without targets
    answers  a task a target, in their order, each with all those rows; where the answer is not known its code is -1,
             its value NaN, its labels 0
    known    (N, T) bool: which answers are known
    """

    task: Task
    answers: tuple[Task, ...]
    known: Array

    def __len__(self) -> int:
        return len(self.task)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the targets."""
        return tuple(str(answer.columns.target) for answer in self.answers if answer.columns is not None)

    @property
    def kind(self) -> SideBySide:
        """Their kinds side by side."""
        pairs = zip(self.names, self.answers, strict=True)
        return side_by_side((name, answer.kind, answer.classes) for name, answer in pairs)

    def whole(self) -> Task:
        """The task with all targets side by side."""
        kind = self.kind
        targets = kind.joined([np.asarray(answer.targets) for answer in self.answers], self.known)
        return replace(self.task, kind=kind, targets=targets)

    def take(self, rows: Array) -> MultiTaskData:
        """The same with only these rows."""
        return MultiTaskData(
            self.task.take(rows), tuple(answer.take(rows) for answer in self.answers), self.known[rows]
        )


def targets_named(data: Any, target: str | None) -> tuple[str, ...]:
    """The names in `a,b`; a column that is called so as a whole is one target."""
    if target is None or "," not in target:
        return () if target is None else (target,)
    table = _table(data)
    if table is not None and target in table.raw.columns:
        return (target,)
    return tuple(name.strip() for name in target.split(",") if name.strip())


def targets_among(data: Any, targets: Sequence[str]) -> tuple[str, ...]:
    """Those of the targets that are columns of a table."""
    table = _table(data)
    return () if table is None else tuple(name for name in targets if name in table.raw.columns)


def kinds_named(kind: str | None, targets: Sequence[str]) -> tuple[str | None, ...]:
    """The kind of each target from one for all of them or one each, with commas between them. DataError for others."""
    kinds = [] if kind is None else [name.strip() for name in kind.split(",")]
    if len(kinds) not in (0, 1, len(targets)):
        raise DataError(f"{len(kinds)} kinds, {kind}, for {len(targets)} targets: give one for all, or one each")
    return tuple(kinds) * len(targets) if len(kinds) == 1 else tuple(kinds) or (None,) * len(targets)


def read_multi_task(
    source: Any,
    targets: Sequence[str],
    *,
    roles: Roles = NO_ROLES,
    kinds: Sequence[str | None] = (),
    columns: Mapping[str, Columns | None] | None = None,
) -> MultiTaskData:
    """Read a table of which several columns are targets.

    kinds     of the targets, in their order; None or none given: inferred
    columns   by target, those of an earlier fit: what it has read is read alike, and one class is enough

    Raises DataError for what is no table, for a target that is named twice, is not there, plays another role, or has
    nothing to learn from.
    """
    table = _table(source)
    if table is None:
        what = shown(os.fsdecode(source)) if isinstance(source, str | os.PathLike) else f"a {type(source).__name__}"
        raise DataError(f"{what} is no table, and several targets are columns of one: give a table")
    _require(table, targets, roles)
    drafts = []
    for target, kind in zip(targets, tuple(kinds) or (None,) * len(targets), strict=True):
        others = [name for name in targets if name != target]
        alone = replace(table, raw=table.raw.drop(columns=others))
        fitted_columns = None if columns is None else columns[target]
        drafts.append(draft_of(alone, replace(roles, target=target), fitted_columns, need_target=True, kind=kind))
    return _joined(drafts, list(kinds) or [None] * len(targets), again=columns is not None)


def with_test(train: MultiTaskData, test: MultiTaskData) -> MultiTaskData:
    """One reading with the rows of the other behind it, whose `split` is "test"; see `join.join`."""
    answers = tuple(join(answer, other) for answer, other in zip(train.answers, test.answers, strict=True))
    return MultiTaskData(join(train.task, test.task), answers, np.concatenate([train.known, test.known]))


def multi_task_of(
    inputs: Any, answers: Mapping[str, Any], *, kinds: Sequence[str | None] = (), group: Iterable[Any] | None = None
) -> MultiTaskData:
    """The same of inputs in any container, and a column of answers for each target, by name."""
    draft = draft_of_inputs(inputs)
    draft.group = None if group is None else column_of(group, "group labels")
    drafts = []
    for name, values in answers.items():
        column = column_of(values, f"answers to {name!r}")
        if len(column) != len(draft.names):
            raise DataError(f"{len(draft.names)} inputs and {len(column)} answers to {name!r}: expected one for each")
        drafts.append(replace(draft, targets=column, columns=draft.columns._replace(target=name), notes=[]))
    if not drafts:
        raise DataError("there are no answers: give a table or a dictionary with a column for each target")
    return _joined(drafts, list(kinds) or [None] * len(drafts), again=False, as_given=True)


def columns_of(task: Task, answer: Task) -> Columns | None:
    """The columns of a model of one target; None where the inputs have no names."""
    return answer.columns if task.modality.has_columns and answer.columns and answer.columns.input else None


def _table(source: Any) -> Table | None:
    """The table in a file or an object; None for what is none."""
    if isinstance(source, str | os.PathLike):
        path = os.fsdecode(source)
        return read_table(path) if os.path.isfile(path) and is_table_name(path) else None
    if isinstance(source, Task):
        return None
    values = contained(source)
    return values if isinstance(values, Table) else None


def _require(table: Table, targets: Sequence[str], roles: Roles) -> None:
    if twice := [name for name, count in Counter(targets).items() if count > 1]:
        raise DataError(f"target {twice[0]!r} is named twice: name each once")
    present = list(table.raw.columns)
    others = {name: role for role, name in roles.named.items() if role != "target"}
    for target in targets:
        if target not in present:
            hint = did_you_mean(target, present)
            raise DataError(f"no column {target!r}, named as a target: the columns are {few(present, 20)}.{hint}")
        if target in roles.inputs:
            raise DataError(f"column {target!r} cannot be a target and an input at once")
        if target in others:
            raise DataError(f"column {target!r} cannot be a target and the {others[target]} at once")


def _joined(drafts: list[Draft], kinds: list[str | None], *, again: bool, as_given: bool = False) -> MultiTaskData:
    """One task of the rows that can be used, and the answers to each of its targets."""
    read = [
        finish(draft, kind, one_class=True, partly=True, as_given=as_given)
        for draft, kind in zip(drafts, kinds, strict=True)
    ]
    notes = list(dict.fromkeys(note for draft in drafts for note in draft.notes))
    base = finish(replace(drafts[0], targets=None, notes=notes), None, one_class=True)
    base = replace(base, columns=None if base.columns is None else base.columns._replace(target=None, classes=()))
    labelled = np.zeros((len(base), len(read)), dtype=bool)
    answers = []
    for place, (draft, task) in enumerate(zip(drafts, read, strict=True)):
        answer, answered = _answers(base, task, str(draft.columns.target))
        _require_learnable(answer, answered, str(draft.columns.target), again=again)
        labelled[:, place] = answered
        answers.append(answer)
    some = labelled.any(axis=1)
    why = "none of its targets is known"
    lost = tuple(SetAside(base.names[row], why, int(base.positions[row])) for row in np.flatnonzero(~some).tolist())
    tasks = MultiTaskData(base, tuple(answers), labelled).take(np.flatnonzero(some))
    task = replace(tasks.task, set_aside=base.set_aside + lost, notes=(*notes, *_missing(tasks)))
    return replace(tasks, task=task)


def _answers(base: Task, task: Task, name: str) -> tuple[Task, Array]:
    """The answers of one target to the rows of `base`, and which of them are known."""
    if task.targets is None:
        raise DataError(_no_answer(name, len(base)))
    values = np.asarray(task.targets)
    targets = task.kind.unknown((len(base), *values.shape[1:]), values.dtype)
    at = np.searchsorted(base.positions, task.positions)
    targets[at] = values
    labelled = np.zeros(len(base), dtype=bool)
    labelled[at] = task.kind.known(values)
    columns = None if task.columns is None else task.columns._replace(target=name)
    return replace(base, kind=task.kind, classes=task.classes, targets=targets, columns=columns, notes=()), labelled


def _require_learnable(answer: Task, labelled: Array, name: str, *, again: bool) -> None:
    if not labelled.any():
        raise DataError(
            f"target {name!r} has no answer in any of the {len(answer):,} rows: leave it out, or fill it in"
        )
    if answer.kind.exclusive and len(answer.classes) < 2 and not again:
        raise DataError(
            f"target {name!r} has only one class, {answer.classes[0]!r}, in all its {int(labelled.sum()):,} rows: "
            "nothing can be told apart. Add rows of another class, or leave the target out"
        )


def _no_answer(name: str, rows: int) -> str:
    return f"target {name!r} has no answer in any of the {rows:,} rows: leave it out, or fill it in"


def _missing(tasks: MultiTaskData) -> list[str]:
    """Where answers are missing, how many."""
    counts = len(tasks) - tasks.known.sum(axis=0)
    return [
        f"target {name!r}: {count:,} of {len(tasks):,} answers are missing, which the others may be learnt without"
        for name, count in zip(tasks.names, counts.tolist(), strict=True)
        if count
    ]


def table_of(columns: Any) -> dict[str, Any]:
    """A table of answers in any container -> its columns by name. DataError for what is none."""
    values = contained(columns) if not isinstance(columns, dict) else columns
    if isinstance(values, dict):
        return {str(name): column for name, column in values.items()}
    table = values if isinstance(values, Table) else None
    if table is None:
        raise DataError(f"answers in a {type(columns).__name__}: give a table, or a dictionary with a column a target")
    frame = of_frame(table.raw).raw
    return {str(name): frame[name].tolist() for name in frame.columns}
