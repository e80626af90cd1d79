"""From features to a fitted model, and from a fitted model to answers."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.backbones.tables import TableEncoder
from headstart.data.split import folds
from headstart.data.task import Array
from headstart.heads.select import fit_probe
from headstart.methods import method
from headstart.seen import Seen

__all__ = ["Plan", "answer", "class_weight_of", "fit_model"]


class Plan(NamedTuple):
    """How to fit: a row of the table of methods, and the options that every row has."""

    method: str = "probe"
    class_weight: str | dict[Hashable, float] | None = None
    seed: int = 0


def fit_model(seen: Seen, backbone: Backbone | None, plan: Plan) -> Model:
    """Fit the head of `plan.method` on all rows of `seen`, whose targets must be known."""
    task = seen.task
    encoder = TableEncoder.fit(task.inputs) if isinstance(task.inputs, pd.DataFrame) else None
    features = seen.values if encoder is None else encoder.transform(task.inputs)
    fitted = fit_probe(
        features,
        task.targets,
        kind=task.kind,
        classes=max(1, len(task.classes)),
        folds=folds(task.targets, task.kind, seen.blocks, seen.keys, seed=plan.seed),
        class_weight=_by_code(plan.class_weight, task.classes),
        seed=plan.seed,
        heads=method(plan.method).heads,
        forms=("plain",) if backbone is None else ("plain", "root"),
    )
    return Model(
        modality=task.modality,
        kind=task.kind,
        classes=task.classes,
        columns=task.columns,
        backbone=backbone,
        encoder=None if encoder is None else encoder.state(),
        head=fitted.head,
        method=plan.method,
        options={"class_weight": _as_json(plan.class_weight), "seed": plan.seed},
        engine=seen.engine,
    )


def class_weight_of(model: Model) -> str | dict[Hashable, float] | None:
    """The class weight that a model was fitted with, as it was given."""
    stored = model.options["class_weight"]
    return {label: weight for label, weight in stored} if isinstance(stored, list) else stored


def _as_json(class_weight: str | dict[Hashable, float] | None) -> Any:
    """Pairs in place of a dict, whose keys JSON would turn to text."""
    return [list(pair) for pair in class_weight.items()] if isinstance(class_weight, dict) else class_weight


def _by_code(class_weight: str | dict[Hashable, float] | None, classes: tuple[Hashable, ...]) -> Any:
    if not isinstance(class_weight, dict):
        return class_weight
    unknown = [label for label in class_weight if label not in classes]
    if unknown:
        raise ValueError(f"class_weight names {unknown[:3]}, which are no classes of the data: {list(classes)[:5]}")
    return {classes.index(label): weight for label, weight in class_weight.items()}


def answer(model: Model, seen: Seen) -> Array:
    """Probabilities (N, C) for classification and multilabel, values (N,) for regression."""
    if model.encoder is None:
        return model.head.predict(np.asarray(seen.values))
    return model.head.predict(TableEncoder.from_state(*model.encoder).transform(seen.task.inputs))
