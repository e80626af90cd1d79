"""Whether an exported file answers as its model does, row by row, through onnxruntime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.deployment.formats.feeds import batches
from headstart.deployment.formats.formats import Parity
from headstart.deployment.formats.graph import Graph
from headstart.deployment.formats.sample import Sample, exact_features
from headstart.errors import ArtefactError, DataError
from headstart.features.feature_set import FeatureSet
from headstart.methods.answers import answers_of
from headstart.tasks.goal import Answers, Decided
from headstart.tasks.task import Array, Kind, Task
from headstart.transfer import Transfer

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["TOLERANCE", "answered_by", "as_answers", "compared", "largest_difference", "session_of"]

TOLERANCE = 1e-4
"""How far a probability may be from the model's; of a regression a value, over the spread of the values."""


def session_of(model: bytes) -> InferenceSession:
    """It, run by onnxruntime on the CPU. `ArtefactError` where that cannot run it."""
    import onnxruntime

    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(model, quiet, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises what its pybind makes of a C++ exception
        raise ArtefactError(f"onnxruntime cannot run the export: {str(error).splitlines()[0][:300]}") from error


def answered_by(session: InferenceSession, graph: Graph, task: Task) -> tuple[Array, Array]:
    """Predictions (N, C) or (N,), and decisions, of what was exported."""
    predictions, decisions = [], []
    for _, feeds in batches(task, graph.readings):
        outputs: list[Any] = session.run(list(graph.outputs[:2]), feeds)
        predictions.append(outputs[0])
        decisions.append(outputs[1] if graph.outputs[1:2] == ("decision",) else outputs[0])
    return np.concatenate(predictions), np.concatenate(decisions)


def as_answers(fitted: Transfer, predictions: Array, decisions: Array) -> Answers:
    """As evidence takes them; probabilities in float32 sum to 1 in float64."""
    kind = fitted.model_.kind
    if not kind.has_classes:
        return predictions
    p = np.clip(predictions.astype(np.float64), 0, 1)
    p = p / p.sum(1, keepdims=True) if kind.exclusive else p
    return Decided(p, decisions.astype(kind.dtype))


def compared(session: InferenceSession, graph: Graph, fitted: Transfer, sample: Sample) -> tuple[Parity, FeatureSet]:
    """How the export and the model, both in float32, answer the same rows; and these rows as the backbone sees them.

    Raises `ArtefactError` where a probability differs by more than `TOLERANCE`, and DataError where no row can be read.
    """
    rows = exact_features(fitted, sample.task)
    if not len(rows):
        raise DataError(f"none of the {sample.origin} can be read: give others (--check-on DATA)")
    reference = answers_of(fitted.model_, rows)
    truth, decided = parts(reference, fitted.model_.kind)
    predictions, decisions = answered_by(session, graph, rows.task)
    largest = largest_difference(fitted.model_.kind, truth, predictions)
    same = float(np.mean(np.all(np.reshape(decisions == decided, (len(rows), -1)), axis=1)))
    if not fitted.model_.kind.has_classes:
        same = float(np.mean(np.abs(predictions - truth) <= TOLERANCE * spread_of(truth)))
    parity = Parity(len(rows), sample.origin, largest, same)
    if not largest <= TOLERANCE:
        raise ArtefactError(
            f"the export does not answer as the model does: the largest difference on {len(rows):,} {sample.origin} is "
            f"{largest:.2g}, and {TOLERANCE:g} is the most that is let pass; nothing was written"
        )
    return parity, rows


def parts(answers: Answers, kind: Kind) -> tuple[Array, Array]:
    """Predictions and decisions."""
    if isinstance(answers, Decided):
        return answers.predictions, answers.decisions
    return answers, kind.decide(answers)


def largest_difference(kind: Kind, truth: Array, predictions: Array) -> float:
    """Of a probability, or of a value over the spread of the true ones; infinite where one is not finite."""
    differences = np.abs(np.asarray(predictions, np.float64) - truth)
    if not np.isfinite(differences).all():
        return float("inf")
    return float(differences.max()) / (1.0 if kind.has_classes else spread_of(truth))


def spread_of(values: Array) -> float:
    """Their standard deviation; of values that do not vary, their size."""
    return float(np.std(values)) or float(np.abs(values).max()) or 1.0
