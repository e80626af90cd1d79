"""Why a fitted model answers as it does, for one input or several at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from headstart.artefact.model import Model
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.defaults import with_own_defaults
from headstart.errors import DataError
from headstart.explanations.attribution import Attribution, Case
from headstart.explanations.columns import ColumnCase
from headstart.explanations.deletion import deletion
from headstart.explanations.explanation import Checks, Explanation, Explanations, Part
from headstart.explanations.neighbours import Neighbour, nearest
from headstart.explanations.pictures import PictureCase
from headstart.explanations.question import Question, code_of, question_of
from headstart.explanations.randomisation import randomisation
from headstart.explanations.sounds import SoundCase
from headstart.explanations.texts import TextCase
from headstart.explanations.training_rows import TrainingRows, training_rows
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.listener import LOGGED, Listener
from headstart.messages import few
from headstart.methods.answers import answer
from headstart.tasks import ARRAY, AUDIO, IMAGE, TABLE, TEXT
from headstart.tasks.task import Task
from headstart.transfer import Transfer

__all__ = ["AUTO", "CASES", "case_of", "explain"]

AUTO = "auto"
WAYS = ("grad-cam", "rollout", "integrated-gradients", "contributions", "shapley", "occlusion")

CASES: dict[str, Callable[..., Case]] = {
    IMAGE: PictureCase,
    TEXT: TextCase,
    AUDIO: SoundCase,
    TABLE: ColumnCase,
    ARRAY: ColumnCase,
}
"""By modality, one input of a model in parts."""


@dataclass(frozen=True)
class _Asked:
    """What was asked for: the way, the class and the one against it, and whether to check."""

    how: str
    label: Hashable
    against: Hashable
    checked: bool


@with_own_defaults
def explain(
    model: Transfer,
    inputs: Any,
    *,
    how: str = AUTO,
    label: Hashable = None,
    against: Hashable = None,
    data: Any = None,
    check: bool = True,
    near: int = 5,
    rows: int | None = None,
    seed: int = 0,
    listener: Listener = LOGGED,
) -> Explanations:
    """Explain the answers of a fitted model to inputs as `predict` takes them.

    how      "auto", or "grad-cam", "rollout", "integrated-gradients", "contributions", "shapley" or "occlusion"; what
             cannot be had for a model is refused with the reason
    label    the class that is explained; None: the one that is answered, of several the likeliest
    against  another class; None: all others
    data     the training data, for the `near` nearest training rows and, of columns, as the rows whose values stand for
             what is missing
    rows     so many of the inputs, the first, which a note then says; None: all of them
    check    whether each explanation is checked: a deletion curve against random orders, and random weights

    Raises ValueError for an unknown class or way, for rows below 1, and DataError where no input can be explained.
    """
    fitted = model.model_
    asked = _Asked(_known(how), label, against, check)
    for name in filter(None, (label, against)):
        code_of(name, fitted.classes, fitted.kind)
    task, cut = _first(_read(fitted, inputs), rows)
    for note in cut:
        listener.say(note)
    feature_set = model.look(task, listener=listener)
    if not len(feature_set):
        raise DataError(
            f"no input can be explained: {few([f'{item.name}: {item.why}' for item in feature_set.task.set_aside])}"
        )
    training = training_rows(model, data, listener)
    neighbours = (
        [()] * len(feature_set) if training.rows is None else nearest(fitted, feature_set, training.rows, count=near)
    )
    each = []
    for row in range(len(feature_set)):
        listener.progress("explanations", row, len(feature_set))
        each.append(_explained(model, feature_set.take(np.array([row])), training, neighbours[row], asked, seed))
    listener.progress("explanations", len(feature_set), len(feature_set))
    return Explanations(each=tuple(each), set_aside=feature_set.task.set_aside, notes=(*cut, *training.notes))


def case_of(model: Model, item: Any, extraction: Extraction, training: TrainingRows | None = None) -> Case:
    """One input of a model in parts. ValueError for a modality that there is no way for."""
    if model.modality not in CASES:
        raise ValueError(f"no explanation for {model.modality} inputs: put a case into CASES")
    if model.modality.has_columns:
        background = None if training is None or training.rows is None else training.rows.task.inputs
        return CASES[model.modality](model, item, extraction, background)
    return CASES[model.modality](model, item, extraction)


def _read(model: Model, inputs: Any) -> Task:
    task = read(inputs, roles=Roles(modality=model.modality), need_target=False, columns=model.columns, to_answer=True)
    if not len(task):
        raise DataError(f"no input can be explained: {few([f'{item.name}: {item.why}' for item in task.set_aside])}")
    return task


def _first(task: Task, rows: int | None) -> tuple[Task, tuple[str, ...]]:
    """The first so many rows of a task, and what is to be said of the others. Inputs that were set aside stay so."""
    if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or rows < 1):
        raise ValueError(f"rows = {rows!r}: expected a number of inputs from 1 on, or None for all of them")
    if rows is None or rows >= len(task):
        return task, ()
    return task.take(np.arange(rows)), (
        f"the first {rows:,} of {len(task):,} inputs are explained, {len(task) - rows:,} are not: --rows all, or "
        "rows=None, explains every one",
    )


def _known(how: str) -> str:
    if how not in (AUTO, *WAYS):
        raise ValueError(f"how = {how!r}: expected {AUTO}, {', '.join(WAYS[:-1])} or {WAYS[-1]}")
    return how


def _explained(
    model: Transfer,
    row: FeatureSet,
    training: TrainingRows,
    neighbours: tuple[Neighbour, ...],
    asked: _Asked,
    seed: int,
) -> Explanation:
    fitted, extraction = model.model_, model.extraction(model.model_.engine)
    predictions = answer(fitted, row)
    decided = fitted.head.decide(predictions)[0]
    question = question_of(fitted.kind, predictions[0], decided, fitted.classes, asked.label, asked.against)
    item: Any = row.task.inputs if isinstance(row.task.inputs, pd.DataFrame) else row.task.inputs[0]
    case = case_of(fitted, item, extraction, training)
    how, note = _way(case, asked.how)
    if how == "contributions" and question.against is None and len(fitted.classes) > 2:
        question = replace(question, against=question.runner_up(predictions[0]))
    attribution = case.ways[how](question)
    checks = None
    if asked.checked and case.parts:

        def again(other: Model) -> Attribution:
            return case_of(other, item, extraction, training).ways[how](question)

        checks = Checks(
            deletion(case, question, attribution.values, seed=seed),
            randomisation(fitted, again, attribution.values, seed=seed),
        )
    classes = fitted.classes
    notes = (*case.notes, *filter(None, (note, attribution.note)))
    return Explanation(
        name=row.task.names[0],
        answer=fitted.kind.in_words(decided, classes),
        explained=classes[question.code] if fitted.kind.has_classes else None,
        against=None if question.against is None else classes[question.against],
        chance=float(question.measured(predictions)[0]),
        how=how,
        unit=_unit(how, question),
        parts=_parts(case, attribution, item),
        grid=case.shape,
        base=attribution.base,
        score=attribution.score,
        gap=attribution.gap,
        fine=attribution.fine,
        picture=getattr(case, "pixels", None),
        levels=getattr(case, "levels", None),
        text=getattr(case, "text", None),
        seconds=getattr(case, "seconds", None),
        neighbours=neighbours,
        checks=checks,
        notes=notes,
    )


def _way(case: Case, how: str) -> tuple[str, str]:
    """The way that is taken, and what to say of it."""
    ways = list(case.ways)
    if how == AUTO:
        why = next(iter(case.without.values()), "") if ways[0] in ("occlusion", "shapley") else ""
        return ways[0], f"{ways[0]} instead of gradients: {why}" if why else ""
    if how not in ways:
        why = case.without.get(how, "it is for other inputs")
        raise ValueError(f"how = {how!r} cannot be had here, since {why}: use {' or '.join(ways)}")
    return how, ""


def _unit(how: str, question: Question) -> str:
    if how == "grad-cam":
        return "slope times activation, no unit"
    return "share of attention" if how == "rollout" else question.unit


def _parts(case: Case, attribution: Attribution, item: Any) -> tuple[Part, ...]:
    values = dict.fromkeys(case.parts)
    if isinstance(item, pd.DataFrame):
        cells = item.rename(columns=str).iloc[0]
        values = {name: str(cells[name]) for name in case.parts}
    return tuple(
        Part(name, float(value), values[name]) for name, value in zip(case.parts, attribution.values, strict=True)
    )
