"""A model that another library has loaded, compared with its own answers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.deployment.formats.formats import Options, Parity
from headstart.deployment.formats.parity import TOLERANCE, largest_difference, parts, spread_of
from headstart.deployment.formats.sample import exact_features, sample_of
from headstart.errors import ArtefactError, DataError
from headstart.methods.answers import answers_of
from headstart.tasks.task import Array, Task
from headstart.transfer import Transfer

__all__ = ["Expected", "compared_with", "expected_of"]


class Expected(NamedTuple):
    """What a model answers, in float32, to some rows.

    task         the rows, without those that could not be read
    predictions  (N, C) probabilities, or (N,) values
    decisions    as targets are
    origin       which rows they are, in words
    """

    task: Task
    predictions: Array
    decisions: Array
    origin: str


def expected_of(fitted: Transfer, options: Options) -> Expected:
    """The model's answers to the rows of `sample_of`. DataError where none of them can be read."""
    sample = sample_of(fitted, options.check_on)
    rows = exact_features(fitted, sample.task)
    if not len(rows):
        raise DataError(f"none of the {sample.origin} can be read: give others (--check-on DATA)")
    return Expected(rows.task, *parts(answers_of(fitted.model_, rows), fitted.model_.kind), sample.origin)


def compared_with(fitted: Transfer, expected: Expected, predictions: Array, decisions: Array | None = None) -> Parity:
    """How the predictions of an export compare. ArtefactError where they differ by more than `TOLERANCE`.

    decisions   that the export answers, as targets are; None: the likeliest class, or what the kind decides
    """
    kind, truth = fitted.model_.kind, expected.predictions
    if predictions.shape != truth.shape:
        raise ArtefactError(
            f"the export answers {predictions.shape} where the model answers {truth.shape}; nothing was written"
        )
    largest = largest_difference(kind, truth, predictions)
    if not largest <= TOLERANCE:
        raise ArtefactError(
            f"the export does not answer as the model does: the largest difference on {len(truth):,} {expected.origin} "
            f"is {largest:.2g}, and {TOLERANCE:g} is the most that is let pass; nothing was written. ONNX (--onnx) may"
        )
    same = np.abs(predictions - truth) <= TOLERANCE * (spread_of(truth) if not kind.has_classes else 1.0)
    if kind.has_classes:
        same = (kind.decide(predictions) if decisions is None else decisions) == expected.decisions
    alike = np.all(np.reshape(same, (len(truth), -1)), axis=1)
    return Parity(len(truth), expected.origin, largest, float(np.mean(alike)))
