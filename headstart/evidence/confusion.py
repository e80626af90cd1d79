"""Class by class: precision, recall and F1, the confusion matrix, and the mistakes made most often."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from headstart.evidence.held_out import HeldOut
from headstart.tasks.goal import Answers
from headstart.tasks.task import Array

__all__ = ["ClassScore", "Mistake", "class_scores", "confusion", "mistakes"]


class ClassScore(NamedTuple):
    """One class: what share of its answers is right, of its rows found, their harmonic mean; its rows."""

    label: Any
    precision: float
    recall: float
    f1: float
    support: int


class Mistake(NamedTuple):
    """Rows of class `truth` that were answered `answer`. With repeats, a mean over them."""

    truth: Any
    answer: Any
    rows: float


def class_scores(held_out: HeldOut, predictions: Answers) -> tuple[ClassScore, ...]:
    """Of each class or label, in their order; repeats are pooled. 0 / 0 is 0, as in scikit-learn."""
    if not held_out.kind.has_classes:
        return ()
    repeats = held_out.repeats(predictions)
    truth = _indicators(held_out, held_out.targets)
    answers = np.mean([_indicators(held_out, repeat.decisions) for repeat in repeats], axis=0)
    hits, support, answered = (truth * answers).sum(axis=0), truth.sum(axis=0), answers.sum(axis=0)
    precision, recall = hits / np.maximum(answered, 1e-12), hits / np.maximum(support, 1e-12)
    f1 = 2 * hits / np.maximum(support + answered, 1e-12)
    columns = (precision.tolist(), recall.tolist(), f1.tolist(), support.astype(int).tolist())
    return tuple(ClassScore(*row) for row in zip(held_out.classes, *columns, strict=True))


def confusion(held_out: HeldOut, predictions: Answers) -> Array:
    """(C, C) rows of true class i answered j; with repeats, a mean over them. Empty but for classification."""
    if not held_out.kind.exclusive:
        return np.zeros((0, 0))
    size = len(held_out.classes)
    repeats = held_out.repeats(predictions)
    cells = [held_out.targets * size + repeat.decisions for repeat in repeats]
    return np.bincount(np.concatenate(cells), minlength=size * size).reshape(size, size) / len(repeats)


def mistakes(held_out: HeldOut, counts: Array, most: int = 10) -> tuple[Mistake, ...]:
    """The cells off the diagonal of a confusion matrix, the fullest first."""
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [divmod(int(cell), len(counts)) for cell in order]
    return tuple(
        Mistake(held_out.classes[i], held_out.classes[j], float(wrong[i, j])) for i, j in pairs if wrong[i, j] > 0
    )


def _indicators(held_out: HeldOut, answers: Array) -> Array:
    if answers.ndim == 2:
        return answers.astype(np.float64)
    return np.asarray(answers[:, None] == np.arange(len(held_out.classes)), dtype=np.float64)
