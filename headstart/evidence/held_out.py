"""What a model is judged on: the true answers of rows that it did not see, and which of those rows belong together."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

import numpy as np

from headstart.tasks.goal import Answers, Decided, Goal
from headstart.tasks.task import Array, Kind, Task

__all__ = ["HeldOut"]


class HeldOut(NamedTuple):
    """The rows that were held out.

    targets   as in `Task`: int64 codes (N,), uint8 (N, C) or float64 (N,)
    classes   the labels, in the order of the codes; empty for regression
    group     (N,) labels of rows that belong together, else None: resampling then draws groups, not rows
    learnt    how many of the classes the model has learnt, the first ones; None: all. It gives the others probability 0
    goal      what the models are to be good at; None: the headline of the kind
    folds     how many models share the rows of one repeat: 1, or the folds of a cross-validation
    """

    targets: Array
    kind: Kind
    classes: tuple[Hashable, ...] = ()
    group: Array | None = None
    learnt: int | None = None
    goal: Goal | None = None
    folds: int = 1

    @classmethod
    def of(cls, task: Task) -> HeldOut:
        """The answers of a labelled task. Raises `ValueError` where it has none."""
        if task.targets is None:
            raise ValueError("the held-out rows have no targets; give rows whose answers are known")
        if task.unlearnt is None:
            return cls(task.targets, task.kind, task.classes, task.group)
        others = sorted({label for labels in task.unlearnt for label in labels}, key=str)
        at = {label: code for code, label in enumerate(others, start=len(task.classes))}
        codes = [[at[label] for label in labels] for labels in task.unlearnt]
        if task.kind.several:
            more = np.array([[code in row for code in at.values()] for row in codes], dtype=np.uint8)
            targets = np.concatenate([task.targets, more], axis=1)
        else:
            pairs = zip(codes, task.targets.tolist(), strict=True)
            targets = np.array([row[0] if row else code for row, code in pairs], dtype=np.int64)
        return cls(targets, task.kind, (*task.classes, *others), task.group, len(task.classes))

    @property
    def unlearnt(self) -> Array:
        """(N,) whether a row has a class that the model has not learnt."""
        learnt = len(self.classes) if self.learnt is None else self.learnt
        if self.kind.several:
            return np.asarray(self.targets[:, learnt:].any(axis=1))
        if not self.kind.has_classes:
            return np.zeros(len(self.targets), dtype=bool)
        return np.asarray(self.targets >= learnt)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all scores: those of the kind, and that of the goal where it is a further one."""
        own = self.kind.metrics
        return own if self.goal is None or self.goal.metric in own else (*own, self.goal.metric)

    @property
    def headline(self) -> str:
        """The score by which models are compared."""
        return self.kind.headline if self.goal is None else self.goal.metric

    def repeats(self, answers: Answers) -> list[Decided]:
        """Predictions (N, C) or (N,), float64, and decisions as targets are, of each repeat.

        Raises `ValueError` for another number of rows or classes, for NaN or infinity, and for what is no probability.
        """
        predictions = self._predictions(answers.predictions if isinstance(answers, Decided) else answers)
        if not isinstance(answers, Decided):
            return [Decided(repeat, self.kind.decide(repeat)) for repeat in predictions]
        decisions = np.asarray(answers.decisions).reshape(len(predictions), *self.targets.shape)
        return [Decided(*repeat) for repeat in zip(predictions, decisions.astype(self.kind.dtype), strict=True)]

    def _predictions(self, predictions: Array) -> Array:
        """Predictions with a leading axis of repeats: (R, N, C), or (R, N) for regression; float64."""
        answers = np.asarray(predictions, dtype=np.float64)
        rows = len(self.targets)
        answered = len(self.classes) if self.learnt is None else self.learnt
        want = self.kind.shape(rows, answered)
        if answers.shape[-len(want) :] != want or answers.ndim - len(want) not in (0, 1) or not answers.size:
            raise ValueError(f"predictions have shape {answers.shape}; expected {want}, or (repeats, {str(want)[1:]}")
        if not np.isfinite(answers).all():
            raise ValueError(f"{int((~np.isfinite(answers)).sum())} predictions are NaN or infinite; give finite ones")
        if self.kind.has_classes and (answers.min() < 0 or answers.max() > 1):
            raise ValueError(
                f"predictions lie in [{answers.min():.3g}, {answers.max():.3g}]; "
                "expected probabilities in [0, 1]: pass logits through `headstart.heads.head.probabilities`"
            )
        if self.kind.exclusive and (off := np.abs(answers.sum(-1) - 1).max()) > 1e-3:
            raise ValueError(f"probabilities of a row miss a sum of 1 by {off:.3g}; expected each row to sum to 1")
        answers = answers.reshape(-1, *want)
        more = len(self.classes) - answered if self.kind.has_classes else 0
        return np.pad(answers, ((0, 0), (0, 0), (0, more))) if more else answers
