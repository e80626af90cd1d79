"""An export compared with its model, on rows of the training data where they still lie, else on made-up ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.deployment.formats import Parity
from headstart.deployment.made_up import made_up
from headstart.errors import ArtefactError, DataError
from headstart.evidence.origin import Origin, origin_from
from headstart.features.feature_set import FeatureSet
from headstart.listener import SILENT
from headstart.methods.answers import answer, seen_by
from headstart.tasks.modality import modality_named
from headstart.tasks.task import Array, Task
from headstart.transfer import Transfer

__all__ = ["TOLERANCE", "Expected", "compared", "expected_of"]

ROWS = 200
TOLERANCE = 1e-4
"""What a probability may differ by; of values, this share of their spread."""


class Expected(NamedTuple):
    """What a model answers to some rows.

    task         the rows, without those that could not be read
    rows         the same as the backbone saw them
    predictions  (N, C) probabilities or (N,) values, from features of torch in float32
    origin       which rows they are, in words
    """

    task: Task
    rows: FeatureSet
    predictions: Array
    origin: str


def expected_of(fitted: Transfer, check_on: Any = None, *, rows: int = ROWS) -> Expected:
    """The answers of a model to at most so many rows, by torch in float32 whatever engine it was fitted on.

    check_on   data as `predict` takes it; None: the training data, or made-up inputs where it does not lie where it was

    Raises DataError where `check_on` cannot be read.
    """
    task, origin = _rows(fitted, check_on, rows)
    model = fitted.model_
    extraction = replace(fitted.extraction(), cache=None, thumbs=model.backbone is None)
    if model.backbone is not None and model.backbone.module is not None:
        extraction = extraction.as_fitted({"name": "torch", "precision": "float32"})
    looked = seen_by(model, task, extraction, SILENT)
    return Expected(looked.task, looked, answer(model, looked), origin)


def compared(fitted: Transfer, expected: Expected, predictions: Array, decided: Array | None = None) -> Parity:
    """How an export's predictions compare with the model's. ArtefactError where they differ by more than `TOLERANCE`.

    decided   (N,) codes that the export answers; None: as its kind decides, which for classes is the likeliest
    """
    kind, ours = fitted.model_.kind, expected.predictions
    if predictions.shape != ours.shape:
        raise ArtefactError(f"the export answers {predictions.shape} to rows to which the model answers {ours.shape}")
    spread = 1.0 if kind.has_classes else float(np.std(ours)) or 1.0
    difference = np.abs(predictions - ours) / spread
    largest = float(difference.max(initial=0.0)) if np.isfinite(difference).all() else np.inf
    if largest > TOLERANCE:
        raise ArtefactError(
            f"the export answers otherwise than the model: by {largest:.2g} on {len(ours)} {expected.origin}, where "
            f"{TOLERANCE:g} is allowed. Nothing was written; export it to another format, such as ONNX"
        )
    theirs = kind.decide(predictions) if decided is None else decided
    own = fitted.model_.head.decide(ours)
    same = np.isclose(theirs, own, rtol=1e-3) if not kind.has_classes else theirs == own
    return Parity(len(ours), expected.origin, largest, float(np.mean(same)) if len(ours) else 1.0)


def _rows(fitted: Transfer, check_on: Any, rows: int) -> tuple[Task, str]:
    model = fitted.model_
    roles = Roles(modality=model.modality)
    if check_on is not None:
        task = read(check_on, roles=roles, need_target=False, columns=model.columns)
        return _spread(task, rows), "rows that were given"
    trained_on = _training_data(fitted)
    if trained_on is not None:
        return _spread(trained_on, rows), "rows of the training data"
    inputs = made_up(model, rows)
    return read(inputs, roles=roles, need_target=False, columns=model.columns), "made-up rows"


def _training_data(fitted: Transfer) -> Task | None:
    """The data as the fit read it; None where that is not known, or cannot be read any more."""
    model = fitted.model_
    try:
        origin: Origin | None = origin_from((model.evidence or {}).get("origin"))
        if origin is None or origin.data is None:
            return None
        named: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in origin.roles.items() if value
        }
        roles = replace(Roles(**named), modality=modality_named(model.modality))
        return read(origin.data, roles=roles, kind=origin.kind, partly=origin.source is not None)
    except (DataError, OSError, ImportError, KeyError, TypeError, ValueError):
        return None


def _spread(task: Task, rows: int) -> Task:
    """At most so many rows, at even distances."""
    return task if len(task) <= rows else task.take(np.linspace(0, len(task) - 1, rows).astype(np.int64))
