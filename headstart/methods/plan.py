"""From features to a fitted model, and from a fitted model to answers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import fields, replace
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from headstart.artefact import Model
from headstart.artefact.model import Label
from headstart.backbones.backbone import Backbone
from headstart.data.splits.split import folds
from headstart.data.weights import repeats
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.heads.head import ClassWeight, Head
from headstart.heads.select import fit_probe
from headstart.listener import LOGGED, Listener
from headstart.methods.finetune import tune
from headstart.methods.table import adapts, configured, method
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks.task import Array
from headstart.training.batches import PLAIN
from headstart.training.loop import Telling
from headstart.training.options import Training
from headstart.training.recipe import Tuning

__all__ = ["Plan", "answer", "class_weight_of", "counted", "fit_model", "learnt_by", "stored"]


class Plan(NamedTuple):
    """How to fit: a row of the table of methods, and the options that every row has.

    class_weight   None, "balanced", or a weight for some labels; the others weigh 1
    options        of a method that moves weights, by name, see `methods.configured`
    keep_tuned     keep a tuned model even where held-out rows do not show it better than the probe
    """

    method: str = "probe"
    class_weight: str | dict[Hashable, float] | None = None
    seed: int = 0
    options: Mapping[str, Any] = MappingProxyType({})
    keep_tuned: bool = False

    @property
    def tuning(self) -> Tuning | None:
        """What moves, and how; None where nothing below the head does. Raises ValueError for an unknown option."""
        return configured(self.method, dict(self.options), self.seed)

    @property
    def probe(self) -> Plan:
        """The probe with everything else alike: what a tuned model must beat."""
        return self._replace(method="probe", options={})

    @property
    def scratch(self) -> Plan:
        """The same budget from random weights: the control of a tuned model."""
        kept = {field.name for field in fields(Training)} & self.options.keys()
        return self._replace(method="scratch", options={name: self.options[name] for name in kept})

    def weights(self, classes: tuple[Hashable, ...]) -> ClassWeight:
        """The class weight in terms of codes. Raises ValueError for a label that is no class."""
        if not isinstance(self.class_weight, dict):
            return cast(ClassWeight, self.class_weight)
        unknown = [label for label in self.class_weight if label not in classes]
        if unknown:
            raise ValueError(f"class_weight names {unknown[:3]}, which are no classes of the data: {list(classes)[:5]}")
        return {classes.index(label): weight for label, weight in self.class_weight.items()}


def fit_model(
    seen: FeatureSet,
    backbone: Backbone | None,
    plan: Plan,
    *,
    extraction: Extraction = PLAIN,
    listener: Listener = LOGGED,
) -> Model:
    """Fit `plan.method` on all rows of `seen`, whose targets must be known.

    extraction, listener   of a method that moves weights: where to calculate, and who hears of each epoch
    """
    tuning = plan.tuning
    if method(plan.method).strategy is not None or adapts(plan.method):
        raise ValueError(f"method {plan.method!r} draws on a source task: give one to headstart.fit")
    if tuning is None:
        return _probed(counted(seen), backbone, plan)
    if backbone is None:
        raise ValueError(f"method {plan.method!r} moves weights, and a {seen.task.modality} has none: use 'probe'")
    weights = plan.weights(seen.task.classes)
    telling = Telling(partial(listener.progress, f"{plan.method}: epochs"), listener.say)
    seen = counted(seen)
    moved = tune(seen, backbone, plan.method, tuning, class_weight=weights, extraction=extraction, telling=telling)
    return replace(_model(seen, moved.backbone, plan, moved.head), notes=moved.notes)


def counted(seen: FeatureSet) -> FeatureSet:
    """The rows that count: as often as whole weights say (`weights.repeats`), else those whose weight is above 0."""
    weights = seen.task.weight
    if weights is None:
        return seen
    times = repeats(weights)
    if times is None:
        return seen if weights.all() else seen.take(np.flatnonzero(weights))
    repeated = seen if (times == 1).all() else seen.take(np.repeat(np.arange(len(seen)), times))
    return replace(repeated, task=replace(repeated.task, weight=None))


def _probed(seen: FeatureSet, backbone: Backbone | None, plan: Plan) -> Model:
    task = seen.task
    encoder = TableEncoder.fit(task.inputs) if isinstance(task.inputs, pd.DataFrame) else None
    targets = np.asarray(task.targets)
    fitted = fit_probe(
        _features(seen, encoder),
        targets,
        kind=task.kind,
        classes=max(1, len(task.classes)),
        folds=folds(targets, task.kind, seen.blocks, seen.keys, seed=plan.seed),
        class_weight=plan.weights(task.classes),
        seed=plan.seed,
        heads=method(plan.method).heads,
        forms=("plain",) if backbone is None else ("plain", "root"),
        scale="each" if backbone is None else "shared",
        blocks=seen.blocks,
        weights=task.weight,
    )
    return replace(_model(seen, backbone, plan, fitted.head), encoder=None if encoder is None else encoder.state())


def _model(seen: FeatureSet, backbone: Backbone | None, plan: Plan, head: Head) -> Model:
    task = seen.task
    return Model(
        modality=task.modality,
        kind=task.kind,
        classes=cast(tuple[Label, ...], task.classes),
        columns=task.columns,
        backbone=backbone,
        encoder=None,
        head=head,
        method=plan.method,
        options={
            "class_weight": stored(plan.class_weight),
            "seed": plan.seed,
            "method": dict(plan.options),
        },
        engine=seen.engine,
    )


def learnt_by(model: Model) -> int:
    """How many figures of the model were learnt from the task."""
    moved = model.head.config.get("parameters")
    return int(
        moved
        or sum(
            array.size for name, array in model.head.arrays.items() if name.startswith(("weight.", "bias.", "trees"))
        )
    )


def stored(class_weight: str | dict[Any, float] | None) -> Any:
    """A class weight as JSON, whose objects would turn their keys to text; pairs keep their type."""
    return [list(pair) for pair in class_weight.items()] if isinstance(class_weight, dict) else class_weight


def class_weight_of(model: Model) -> str | dict[Any, float] | None:
    """The class weight that a model was fitted with, as it was given."""
    stored = model.options["class_weight"]
    return dict(stored) if isinstance(stored, list) else cast("str | None", stored)


def answer(model: Model, seen: FeatureSet) -> Array:
    """Probabilities (N, C) for classification and multilabel, values (N,) for regression."""
    encoder = None if model.encoder is None else TableEncoder.from_state(*model.encoder)
    return model.head.predict(_features(seen, encoder))


def _features(seen: FeatureSet, encoder: TableEncoder | None) -> Array:
    """(N, D): what the backbone made of the inputs, or what the encoder makes of the columns."""
    if encoder is not None and isinstance(seen.task.inputs, pd.DataFrame):
        return encoder.transform(seen.task.inputs)
    return np.asarray(seen.values)
