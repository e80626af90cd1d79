"""Teachers: fitted models that are asked once of every row that a student learns from."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from headstart.artefact import Model, read
from headstart.backbones.backbone import Backbone
from headstart.data.labels import fold
from headstart.data.unlearnt import codes_among
from headstart.errors import DataError
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.listener import Listener
from headstart.losses.supervised import Knowledge
from headstart.messages import few
from headstart.methods.answers import answer, seen_by
from headstart.tasks.task import Array, Task
from headstart.training.augmentation import Draw, View
from headstart.training.batches import CPU, InputBatches, batches
from headstart.training.device import below
from headstart.training.taught import Taught
from headstart.training.teacher_maps import map_sizes, maps_of

__all__ = ["Teacher"]

_SURE = 1e-6
"""A label of several is never surer than this for a student, whose logit would have no end."""


@dataclass(frozen=True)
class Teacher:
    """Fitted models of one kind and modality, and how much each of them counts, which sums to 1."""

    models: tuple[Model, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, teachers: Any) -> Self:
        """Of a fitted `Transfer`, the folder of a saved model, or a list of these and of pairs (teacher, weight).

        ValueError for what is none of these, ArtefactError for a folder that holds no model, DataError where teachers
        answer different questions.
        """
        if isinstance(teachers, cls):
            return teachers
        entries = list(teachers) if isinstance(teachers, list | tuple) else [teachers]
        if not entries:
            raise ValueError("no teacher is given: expected a fitted Transfer or the folder of a saved model")
        pairs = [entry if isinstance(entry, tuple) and len(entry) == 2 else (entry, 1.0) for entry in entries]
        shares = [_weight(weight) for _, weight in pairs]
        members = [_model(teacher).members for teacher, _ in pairs]
        weights = np.array([share * each.weight for share, some in zip(shares, members, strict=True) for each in some])
        models = tuple(each.model for some in members for each in some)
        first, *others = models
        for other in others:
            if (other.modality, other.kind) != (first.modality, first.kind):
                raise DataError(
                    f"one teacher answers {first.modality} inputs by {first.kind}, another {other.modality} inputs by "
                    f"{other.kind}: give teachers of one kind"
                )
        return cls(models, tuple((weights / weights.sum()).tolist()))

    @property
    def name(self) -> str:
        """What it is, in words: method and backbone of each model."""
        return " and ".join(
            model.method if model.backbone is None else f"{model.method} on {model.backbone.name}"
            for model in self.models
        )

    def suits(self, task: Task) -> None:
        """Raises DataError where a task is of another modality or kind than what it answers."""
        first = self.models[0]
        if task.modality != first.modality:
            raise DataError(
                f"the teacher answers {first.modality} inputs, and the data hold {task.modality} inputs: give data of "
                "its modality, or another teacher"
            )
        if task.targets is not None and task.kind != first.kind:
            raise DataError(
                f"the teacher is of a {first.kind}, and the data ask for {task.kind}: a {task.kind} learns nothing "
                f"from it; if the targets can be read so, say kind {first.kind}"
            )

    def require(self, knowledge: Knowledge, method: str) -> None:
        """Raises ValueError where it does not have what a method learns from."""
        if knowledge == "answers":
            return
        if len(self.models) > 1:
            raise ValueError(
                f"method {method!r} learns from the {knowledge} of one teacher, and there are {len(self.models)}: give "
                "one, or use 'distil', which learns from their answers"
            )
        backbone = self.models[0].backbone
        if backbone is None or backbone.module is None:
            raise ValueError(
                f"method {method!r} learns from the {knowledge} of a network, and the teacher has answers only: use "
                "'distil'"
            )
        if knowledge == "maps" and not map_sizes(backbone):
            raise ValueError(
                f"method {method!r} learns where a teacher looks, and {backbone.name} keeps no maps of its inputs: use "
                "'hints', 'relational' or 'distil'"
            )

    @property
    def classes(self) -> tuple[Hashable, ...]:
        """Those that all its models know, in the order of the first; () of a regression. DataError for too few."""
        first, *others = self.models
        label_sets = [{fold(str(label)) for label in other.classes} for other in others]
        shared = tuple(label for label in first.classes if all(fold(str(label)) in labels for labels in label_sets))
        if first.kind.has_classes and len(shared) < 1 + first.kind.exclusive:
            raise DataError(
                f"the teachers have only {few(shared) or 'no class'} in common: give teachers of the same classes"
            )
        return shared

    def codes(self, classes: Sequence[Hashable]) -> Array:
        """(C,) the code that each of these classes has among its own, by name; -1 where it has none. DataError where it
        knows too few to teach."""
        teacher_classes = self.classes
        codes = codes_among(classes, teacher_classes)
        if (codes >= 0).sum() < 1 + self.models[0].kind.exclusive:
            names = few([label for label, code in zip(classes, codes, strict=True) if code >= 0])
            raise DataError(
                f"of the classes {few(classes)} the teacher knows only {names}, and it learnt {few(teacher_classes)}: "
                "there is nothing to learn from it; name the classes alike, or give another teacher"
            )
        return codes

    def notes(self, classes: Sequence[Hashable]) -> Iterator[str]:
        """In words, which classes only one side has."""
        if not self.models[0].kind.has_classes:
            return
        codes = self.codes(classes)
        theirs = dict.fromkeys(str(label) for model in self.models for label in model.classes)
        names = {fold(str(label)) for label in classes}
        if lacking := [label for label, code in zip(classes, codes, strict=True) if code < 0]:
            yield f"classes that the teacher does not know, which labels alone teach: {few(lacking)}"
        if more := [label for label in theirs if fold(label) not in names]:
            yield f"classes that only the teacher knows, which are left out: {few(more)}"

    def ask(self, task: Task, knowledge: Knowledge, how: tuple[Extraction, Listener]) -> Taught:
        """What it makes of the rows of a task: once, by the engine that its head was fitted on, from the cache where
        they are there. DataError for a row that it cannot read."""
        rows = [self._look(model, task, how) for model in self.models]
        probabilities = [answer(model, some) for model, some in zip(self.models, rows, strict=True)]
        features = np.asarray(rows[0].values) if knowledge == "features" else None
        maps: Mapping[tuple[int, int], Array] = {}
        if knowledge == "maps":
            maps = maps_of(self._backbone(0), self._batches(0, task.inputs, how[0]), None)
        return Taught(answers=self._logits(probabilities), features=features, maps=maps)

    def ask_views(
        self, inputs: Sequence[Any], knowledge: Knowledge, extraction: Extraction, views: tuple[int, int]
    ) -> Taught:
        """The same of each of the forms in which the inputs are shown to a student.

        views   the seed of the training, and how many forms there are. ValueError where inputs are not varied alike
                for both, as texts are not
        """
        seed, count = views
        draws = [View(seed, number) for number in range(count)]
        features = [self._varied(number, inputs, extraction, draws) for number in range(len(self.models))]
        probabilities = [model.head.predict(some) for model, some in zip(self.models, features, strict=True)]
        maps: dict[tuple[int, int], Array] = {}
        if knowledge == "maps":
            feed = self._batches(0, inputs, extraction)
            each = [maps_of(self._backbone(0), feed, draw) for draw in draws]
            maps = {size: np.concatenate([some[size] for some in each]) for size in each[0]}
        first = features[0] if knowledge == "features" else None
        return Taught(answers=self._logits(probabilities), features=first, maps=maps, views=count)

    def _varied(self, number: int, inputs: Sequence[Any], extraction: Extraction, draws: Sequence[Draw]) -> Array:
        """(V N, D) the features of all forms."""
        backbone = self._backbone(number)
        feed = self._batches(number, inputs, extraction)
        part = feed.part(_module(backbone), backbone.dim, "its features")
        if part is None:
            raise ValueError(
                f"consistent = True: {backbone.modality.noun} are not shown to a teacher in the forms that a student "
                "sees; leave it out"
            )
        return np.concatenate([part(np.arange(len(inputs)), draw) for draw in draws])

    def _look(self, model: Model, task: Task, how: tuple[Extraction, Listener]) -> FeatureSet:
        rows = seen_by(model, replace(task, targets=None), _as_fitted(model, how[0]), how[1], "teacher")
        if len(rows) < len(task):
            lost = rows.task.set_aside[-1]
            raise DataError(f"the teacher cannot read {lost.name}: {lost.why}; leave it out")
        return rows

    def _logits(self, probabilities: Sequence[Array]) -> Array:
        """(N, C) of the mean of all models, over the classes that all know; values (N, 1)."""
        kind = self.models[0].kind
        if not kind.has_classes:
            return np.asarray(sum(w * p for w, p in zip(self.weights, probabilities, strict=True))).reshape(-1, 1)
        classes = self.classes
        mean = np.zeros((len(probabilities[0]), len(classes)))
        for weight, p, model in zip(self.weights, probabilities, self.models, strict=True):
            chances = np.asarray(p, np.float64)[:, codes_among(classes, model.classes)]
            if kind.exclusive:
                chances = chances.clip(np.finfo(np.float64).tiny)
                chances = chances / chances.sum(axis=1, keepdims=True)
            mean += weight * chances
        sure = mean.clip(_SURE, 1 - _SURE)
        odds = mean.clip(np.finfo(np.float64).tiny) if kind.exclusive else sure / (1 - sure)
        return np.asarray(np.log(odds))

    def _backbone(self, number: int) -> Backbone:
        backbone = self.models[number].backbone
        if backbone is None:
            raise ValueError(f"{self.name} has no network: what it reads is not varied; leave consistent out")
        return backbone

    def _batches(self, number: int, inputs: Any, extraction: Extraction) -> InputBatches:
        return batches(inputs, self._backbone(number), CPU, below(self.models[number].engine, extraction))


def _model(source: Any) -> Model:
    if isinstance(source, str | os.PathLike):
        return read(Path(source))
    if isinstance(source, Model):
        return source
    model = getattr(source, "model_", None)
    if not isinstance(model, Model):
        bare = " that is not fitted" if hasattr(source, "fit") else ""
        raise ValueError(
            f"a teacher is a {type(source).__name__}{bare}: expected a fitted Transfer, or the folder of a saved model"
        )
    return model


def _weight(weight: Any) -> float:
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
        raise ValueError(f"the weight of a teacher is {weight!r}: expected a number above 0")
    return float(weight)


def _as_fitted(model: Model, extraction: Extraction) -> Extraction:
    name, precision = model.engine.get("name", "auto"), model.engine.get("precision", "auto")
    return replace(extraction, engine=name, precision=precision, thumbs=False)


def _module(backbone: Backbone) -> Any:
    if backbone.module is None:
        raise ValueError(f"{backbone.name} has no network: what it reads is not varied; leave consistent out")
    return backbone.module
