"""The training data again, as far as it is still where it was: a model does not hold it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from headstart.artefact.model import Model
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.unlearnt import to_classes
from headstart.features.feature_set import FeatureSet
from headstart.listener import Listener
from headstart.tasks.task import Task
from headstart.transfer import Transfer

__all__ = ["TrainingRows", "training_rows"]


class TrainingRows(NamedTuple):
    """rows    those that were not held out for a test, of classes that the model learnt; None where there are none
    notes   what to know of them
    """

    rows: FeatureSet | None
    notes: tuple[str, ...] = ()


def training_rows(model: Transfer, data: Any, listener: Listener, *, tested: bool = False) -> TrainingRows:
    """Read, and seen by the backbone of the model (by the cache where it was). None where no data is given, or its path
    leads nowhere any more: the note says so.

    tested   rows of a split that came with the data to test on are among them
    """
    if data is None:
        return TrainingRows(None, ("nearest training rows: left out, since a model does not hold them (--data DATA)",))
    if isinstance(data, str | os.PathLike) and not os.path.exists(data):
        return TrainingRows(None, (f"nearest training rows: left out, since {os.fspath(data)} is not there any more",))
    fitted = model.model_
    task = to_classes(_read(fitted, data), fitted.classes)
    if task.split is not None and not tested:
        task = task.take(np.flatnonzero(np.asarray(task.split) != "test"))
    if task.unlearnt is not None:
        task = replace(task.take([row for row, labels in enumerate(task.unlearnt) if not labels]), unlearnt=None)
    rows = model.look(task, listener=listener)
    return TrainingRows(rows, _differs(len(rows), fitted.evidence))


def _read(model: Model, data: Any) -> Task:
    """With the columns that the model knows; where it was fitted to inputs and targets apart, the target
    is inferred."""
    known = model.columns
    if known is not None and known.target is None:
        return read(data, roles=Roles(modality=model.modality, input=known.input or None), kind=model.kind)
    split = None if known is None else known.split
    return read(data, roles=Roles(modality=model.modality, split=split), kind=model.kind, columns=known)


def _differs(count: int, evidence: dict[str, Any] | None) -> tuple[str, ...]:
    """That other rows are there than were fitted to."""
    if evidence is None or not evidence.get("n_train"):
        return ()
    known = evidence["n_train"] + (evidence.get("n_test") or 0)
    if count in (evidence["n_train"], known):
        return ()
    return (f"{count:,} rows were read, and the model knew {known:,}: the data changed since, or is another",)
