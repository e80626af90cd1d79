"""From features to a fitted model, and from a fitted model to answers."""

from __future__ import annotations

from typing import NamedTuple

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

__all__ = ["Plan", "answer", "fit_model"]


class Plan(NamedTuple):
    """How to fit: a row of the table of methods, and the options that every row has."""

    method: str = "probe"
    class_weight: str | dict[object, float] | None = None
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
        class_weight=plan.class_weight,
        seed=plan.seed,
        heads=method(plan.method).heads,
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
        options={"class_weight": plan.class_weight, "seed": plan.seed},
        engine=seen.engine,
    )


def answer(model: Model, seen: Seen) -> Array:
    """Probabilities (N, C) for classification and multilabel, values (N,) for regression."""
    if model.encoder is None:
        return model.head.predict(np.asarray(seen.values))
    return model.head.predict(TableEncoder.from_state(*model.encoder).transform(seen.task.inputs))
