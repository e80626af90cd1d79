"""Answers of a fitted model to new inputs: nothing is loaded that only a fit needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from headstart.artefact.model import Model
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.defaults import with_own_defaults
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.features.unknown import MUCH, unknown_advice
from headstart.listener import LOGGED, Listener
from headstart.methods.answers import answer, fed_otherwise, look_as_fitted
from headstart.methods.doubts import flags_of, scores_for
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.study.predictions import Answers
from headstart.study.windows import windowed, windows_of
from headstart.tasks.task import Array, Task

__all__ = ["answers_to", "notes_of_inputs", "say_read"]


@with_own_defaults
def answers_to(
    model: Model,
    data: Any,
    extraction: Extraction,
    *,
    windows: float | str | None = None,
    coverage: float | None = None,
    listener: Listener = LOGGED,
) -> Answers:
    """To a folder, files, a table or objects. One row out for each row in, in the same order; what cannot be read has
    no answer, and a reason.

    windows   of recordings: an answer for each window of so many seconds, with its times; "auto": as long as the
              backbone takes. ValueError for a model that hears none, and for another length
    coverage  give sets or intervals too, which hold the true answer with this probability. ValueError where it is no
              share, DataError where the model stores no scores for that
    """
    scores = None if coverage is None else scores_for(model, coverage)
    form = None if windows is None else windows_of(model, windows)
    roles = Roles(modality=model.modality)
    task = read(data, roles=roles, need_target=False, columns=model.columns, to_answer=True)
    say_read(task, listener)
    task, spans = (task, None) if form is None else windowed(task, form)
    feature_set = look_as_fitted(model, task, extraction, listener) if len(task) else None
    task = task if feature_set is None else feature_set.task
    some = feature_set is not None and len(feature_set) > 0
    values = answer(model, feature_set) if feature_set is not None and some else _no_values(model)
    sets = intervals = None
    if scores is not None and coverage is not None:
        if model.kind.has_classes:
            sets = scores.sets(values, coverage)
        else:
            intervals = scores.intervals(values, coverage)
    return Answers(
        kind=model.kind,
        names=task.names,
        values=values,
        classes=model.classes,
        places=task.positions,
        set_aside=task.set_aside,
        decide=model.head.decide,
        notes=notes_of_inputs(model, task, feature_set),
        spans=spans,
        sets=sets,
        intervals=intervals,
        strange=flags_of(model, feature_set) if feature_set is not None and some else None,
    )


def notes_of_inputs(model: Model, task: Task, feature_set: FeatureSet | None) -> tuple[str, ...]:
    """What of new inputs a model did not learn: cells of a table, and tokens that its backbone does not know; and that
    it is fed otherwise than it was fitted."""
    fed = "" if feature_set is None else fed_otherwise(model, feature_set)
    return *_met(model, task), *_unknown(feature_set), *([fed] if fed else [])


def say_read(task: Task, listener: Listener) -> None:
    """How many rows were read, and what there is to note of them."""
    of = f" of {len(task.classes)} classes" if task.classes else ""
    listener.say(f"read {len(task):,} {task.modality.noun}{of}")
    for note in task.notes:
        listener.say(f"  {note}")


def _unknown(feature_set: FeatureSet | None) -> tuple[str, ...]:
    """Where the backbone knows few of the tokens of texts, a note."""
    share = None if feature_set is None or feature_set.features is None else feature_set.features.unknown
    return () if share is None or share < MUCH else (unknown_advice(share),)


def _no_values(model: Model) -> Array:
    return np.empty(model.kind.shape(0, len(model.classes)))


def _met(model: Model, task: Task) -> Iterator[str]:
    """What a table holds that the encoder did not learn."""
    cells = task.modality.cells(task.inputs)
    if model.encoder is None or cells is None:
        return
    for entry in TableEncoder.from_state(*model.encoder).report(cells):
        if entry.missing:
            yield f"column {entry.column!r}: {entry.missing:,} missing or unreadable cells, filled in as in training"
        if entry.unseen:
            yield f"column {entry.column!r}: {entry.unseen:,} cells not met in training, such as {entry.example!r}"
