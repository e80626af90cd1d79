"""Teaching: a teacher's answers to the rows that a student learns from, with those that have no label."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np

from headstart.errors import DataError
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.listener import Listener
from headstart.losses.distilled import Distilled
from headstart.losses.supervised import Knowledge, Supervised
from headstart.methods.teacher import Teacher
from headstart.tasks.task import Array, Kind, Task
from headstart.training.job import Rows
from headstart.training.recipe import Tuning
from headstart.training.taught import Taught

__all__ = ["Teaching"]


@dataclass(frozen=True)
class Teaching:
    """What a student learns from beside the labels of its rows.

    classes   those of the student, in their order
    places    content key -> row of `taught`, so that rows may be cut, repeated and put in order
    taught    in the order of the teacher's own classes
    bare      rows without a label; None: there are none
    labelled  whether the targets of the other rows were given; else they are the teacher's own answers
    """

    teacher: Teacher
    classes: tuple[Hashable, ...]
    places: dict[bytes, int]
    taught: Taught
    bare: FeatureSet | None = None
    labelled: bool = True

    @classmethod
    def of(
        cls,
        teacher: Teacher,
        rows: FeatureSet,
        bare: FeatureSet | None,
        knowledge: Knowledge,
        how: tuple[Extraction, Listener],
    ) -> Teaching:
        """The teacher is asked once of all rows, labelled or not. DataError where it does not suit them."""
        teacher.suits(rows.task)
        task = rows.task if bare is None else _joined(rows, bare)
        keys = rows.keys if bare is None else [*rows.keys, *bare.keys]
        taught = teacher.ask(task, knowledge, how)
        places = {key: place for place, key in enumerate(keys)}
        labelled = rows.task.targets is not None
        return cls(teacher, rows.task.classes if labelled else teacher.classes, places, taught, bare, labelled)

    @property
    def kind(self) -> Kind:
        """Of the teacher, and so of the student."""
        return self.teacher.models[0].kind

    def answers(self, rows: FeatureSet) -> Array:
        """The teacher's to these rows, as a model answers: (N, C) probabilities, 0 of what it does not know, or (N,)
        values."""
        logits = self._taught(rows.keys).answers
        return self.kind.probabilities(np.where(np.isnan(logits), -np.inf, logits), 1.0)

    def answered(self, rows: FeatureSet) -> FeatureSet:
        """The rows with the teacher's answers as targets, but for those of a given test split, which keep theirs.
        DataError where it says the same of all."""
        labels, decisions = rows.task.targets, self.kind.decide(self.answers(rows))
        if len(np.unique(decisions, axis=0)) < 2:
            answer = self.kind.in_words(decisions[0], self.classes)
            raise DataError(
                f"the teacher answers {answer!r} to all {len(rows)} rows, so that there is nothing to learn from it: "
                "give data like those that it was fitted on"
            )
        targets = decisions.copy()
        if labels is not None and rows.task.split is not None:
            tested = np.asarray(rows.task.split) == "test"
            targets[tested] = labels[tested]
        return replace(rows, task=replace(rows.task, targets=targets, kind=self.kind, classes=self.classes))

    def loss(self, loss: Supervised) -> Supervised:
        """Where nobody gave labels, what answers teach is learnt from them alone, and not once more as labels."""
        if self.labelled or not isinstance(loss, Distilled) or loss.learns_from != "answers":
            return loss
        return replace(loss, labels=0.0)

    def of_job(self, rows: Rows, tuning: Tuning, extraction: Extraction) -> Taught:
        """For the rows of a training, by their numbers; nothing of a row whose label the teacher does not know."""
        loss, training = tuning.loss, tuning.training
        if isinstance(loss, Distilled) and loss.consistent and training.augment:
            views = (training.seed, training.views)
            taught = self._onto(self.teacher.ask_views(rows.inputs(), loss.learns_from, extraction, views))
        else:
            taught = self._taught(rows.keys())
        if not self.kind.exclusive:
            return taught
        unknown = self.teacher.codes(self.classes) < 0
        return taught.silent((rows.weights > 0) & unknown[rows.targets])

    def _taught(self, keys: list[bytes]) -> Taught:
        return self._onto(self.taught.take(np.array([self.places[key] for key in keys])))

    def _onto(self, taught: Taught) -> Taught:
        return taught.onto(self.teacher.codes(self.classes)) if self.kind.has_classes else taught


def _joined(rows: FeatureSet, bare: FeatureSet) -> Task:
    """The inputs of both, for somebody to answer."""
    inputs = rows.task.modality.stack(rows.task.inputs, bare.task.inputs)
    names = [*rows.task.names, *bare.task.names]
    return Task(inputs=inputs, targets=None, kind=rows.task.kind, modality=rows.task.modality, names=names)
