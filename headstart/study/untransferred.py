"""What a sound model that reuses nothing answers, learnt once for the same rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from headstart.data.splits.split import folds
from headstart.evidence.assess import NO_TRANSFER
from headstart.preprocessing.descriptors import describe
from headstart.evidence.baselines.no_transfer import REVISION, no_transfer
from headstart.evidence.baselines.pictures import LANDMARKS
from headstart.features.cache.answers import AnswerCache
from headstart.features.feature_set import FeatureSet
from headstart.methods.plan import Plan
from headstart.methods.probe import counted
from headstart.study.content import aim_of, content, packed, unpacked
from headstart.tasks.goal import Answers
from headstart.tasks.task import Array

__all__ = ["Untransferred"]


class Untransferred:
    """It, with the class weight and the seed of a plan.

    Where there are few pictures, as in cross-validation, each is described once for all trials.
    """

    def __init__(self, plan: Plan, answers: AnswerCache) -> None:
        self._plan, self._answers = plan, answers
        self._described: dict[bytes, Array] = {}

    def answer(self, learnt: FeatureSet, test: FeatureSet) -> Answers:
        """What it learns from rows, and answers to others: (M, C) probabilities, or (M,) values."""
        learnt = counted(learnt)
        task, seed = learnt.task, self._plan.seed
        in_folds = folds(task.targets, task.kind, learnt.blocks, learnt.keys, seed=seed)
        class_weight = self._plan.weights(task.classes)

        aim = self._plan.aim(task.kind, task.classes)

        def compute() -> tuple[Array, ...]:
            inputs, new = self._inputs(learnt, test)
            train = replace(task, inputs=inputs)
            return packed(no_transfer(train, new, folds=in_folds, class_weight=class_weight, seed=seed, aim=aim))

        what = (task.kind, task.modality, len(task.classes), repr(class_weight), seed, aim_of(self._plan, task))
        rows = (np.asarray(task.targets), task.weight, in_folds, *content(learnt), *content(test))
        return unpacked(self._answers.recall_all(NO_TRANSFER, REVISION, (*what, *rows), compute))

    def _inputs(self, learnt: FeatureSet, test: FeatureSet) -> tuple[Any, Any]:
        if learnt.thumbs is None or test.thumbs is None or len(learnt) + len(test) > LANDMARKS:
            return learnt.plain_inputs, test.plain_inputs
        return self._descriptions(learnt), self._descriptions(test)

    def _descriptions(self, rows: FeatureSet) -> Array:
        """(N, 2344) float32 of pictures, those that were not described before at once."""
        new = {key: row for row, key in enumerate(rows.keys) if key not in self._described}
        if new and rows.thumbs is not None:
            self._described |= dict(zip(new, describe(rows.thumbs[list(new.values())]), strict=True))
        return np.stack([self._described[key] for key in rows.keys])
