"""What a sound model that reuses nothing answers, learnt once for the same rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from headstart.data.splits.split import folds
from headstart.evidence.assess import NO_TRANSFER
from headstart.evidence.baselines.no_transfer import MODELS, REVISION, fit_untransferred, no_transfer
from headstart.evidence.baselines.pictures import LANDMARKS
from headstart.features.cache.answers import AnswerCache, Entry
from headstart.features.feature_set import FeatureSet
from headstart.heads.head import ClassWeight
from headstart.methods.plan import Plan
from headstart.methods.probe import counted
from headstart.preprocessing.descriptors import describe
from headstart.study.content import aim_of, content, packed, unpacked
from headstart.tasks.goal import Answers
from headstart.tasks.task import Array, Task

__all__ = ["Untransferred"]


class Untransferred:
    """It, with the class weight and the seed of a plan.

    Where there are few pictures, as in cross-validation, each is described once for all trials.
    """

    def __init__(self, plan: Plan, answers: AnswerCache) -> None:
        self._plan, self._answers = plan, answers
        self._described: dict[bytes, Array] = {}
        self._held_out: dict[bytes, Array] = {}

    def answer(self, learnt: FeatureSet, test: FeatureSet) -> Answers:
        """What it learns from rows, and answers to others: (M, C) probabilities, or (M,) values."""
        learnt = counted(learnt)

        def compute() -> tuple[Array, ...]:
            inputs, new = self._inputs(learnt, test)
            task, options = replace(learnt.task, inputs=inputs), self._options(learnt)
            if task.modality not in MODELS or _constant(task):
                return packed(no_transfer(task, new, **options))
            model = fit_untransferred(task, **options)
            self._hold(learnt, model.fit.out_of_fold)
            return packed(model.answers(new))

        parts = (*self._parts(learnt), *content(test))
        return unpacked(self._answers.recall_all(NO_TRANSFER, REVISION, parts, compute))

    def out_of_fold(self, learnt: FeatureSet) -> Array | None:
        """(N, C) logits, or (N, 1) values, that say of each row that counts what a fit without it says.

        None where that is no model that could be kept, or there is nothing to learn.
        """
        learnt = counted(learnt)
        task = learnt.task
        if task.modality not in MODELS or _constant(task):
            return None
        held_out = self._held_out.get(_name(learnt))
        if held_out is None:
            entry = self._entry(learnt)
            stored = entry.read()
            held_out = None if stored is None else stored[0]
        if held_out is None:
            task = replace(task, inputs=self._inputs(learnt, learnt)[0])
            held_out = fit_untransferred(task, **self._options(learnt)).fit.out_of_fold
            self._hold(learnt, held_out)
        return held_out

    def _hold(self, learnt: FeatureSet, out_of_fold: Array) -> None:
        self._held_out[_name(learnt)] = out_of_fold
        self._entry(learnt).write((out_of_fold,))

    def _entry(self, learnt: FeatureSet) -> Entry:
        return self._answers.entry(f"{NO_TRANSFER}, out of fold", REVISION, self._parts(learnt))

    def _options(self, learnt: FeatureSet) -> dict[str, Any]:
        task = learnt.task
        weight: ClassWeight = self._plan.weights(task.classes)
        aim = self._plan.aim(task.kind, task.classes)
        return {"folds": self._folds(learnt), "class_weight": weight, "seed": self._plan.seed, "aim": aim}

    def _folds(self, learnt: FeatureSet) -> Array:
        return folds(learnt.task.targets, learnt.task.kind, learnt.blocks, learnt.keys, seed=self._plan.seed)

    def _parts(self, learnt: FeatureSet) -> tuple[Any, ...]:
        """What its answers follow from, beside the rows to answer."""
        task, plan = learnt.task, self._plan
        weight = repr(plan.weights(task.classes))
        what = (task.kind, task.modality, len(task.classes), weight, plan.seed, aim_of(plan, task))
        return (*what, np.asarray(task.targets), task.weight, self._folds(learnt), *content(learnt))

    def _inputs(self, learnt: FeatureSet, test: FeatureSet) -> tuple[Any, Any]:
        pictures = learnt.task.modality.has_pixels
        if not pictures or learnt.thumbs is None or test.thumbs is None or len(learnt) + len(test) > LANDMARKS:
            return learnt.plain_inputs, test.plain_inputs
        return self._descriptions(learnt), self._descriptions(test)

    def _descriptions(self, rows: FeatureSet) -> Array:
        """(N, 2344) float32 of pictures, those that were not described before at once."""
        new = {key: row for row, key in enumerate(rows.keys) if key not in self._described}
        if new and rows.thumbs is not None:
            self._described |= dict(zip(new, describe(rows.thumbs[list(new.values())]), strict=True))
        return np.stack([self._described[key] for key in rows.keys])


def _constant(task: Task) -> bool:
    """Whether all rows have the same answer."""
    targets = np.asarray(task.targets)
    return bool((targets == targets[0]).all())


def _name(rows: FeatureSet) -> bytes:
    return b"".join(rows.keys)
