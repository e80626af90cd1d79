"""From features to a fitted model, and from a fitted model to answers."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from headstart.artefact import Model
from headstart.artefact.model import Label
from headstart.backbones.backbone import Backbone
from headstart.backbones.tables import TableEncoder
from headstart.data.split import folds
from headstart.data.task import Array
from headstart.heads.head import ClassWeight
from headstart.heads.select import fit_probe
from headstart.methods import method
from headstart.seen import Seen

__all__ = ["Plan", "answer", "class_weight_of", "fit_model"]


class Plan(NamedTuple):
    """How to fit: a row of the table of methods, and the options that every row has.

    class_weight   None, "balanced", or a weight for some labels; the others weigh 1
    """

    method: str = "probe"
    class_weight: str | dict[Hashable, float] | None = None
    seed: int = 0

    def weights(self, classes: tuple[Hashable, ...]) -> ClassWeight:
        """The class weight in terms of codes. Raises ValueError for a label that is no class."""
        if not isinstance(self.class_weight, dict):
            return cast(ClassWeight, self.class_weight)
        unknown = [label for label in self.class_weight if label not in classes]
        if unknown:
            raise ValueError(f"class_weight names {unknown[:3]}, which are no classes of the data: {list(classes)[:5]}")
        return {classes.index(label): weight for label, weight in self.class_weight.items()}


def fit_model(seen: Seen, backbone: Backbone | None, plan: Plan) -> Model:
    """Fit the head of `plan.method` on all rows of `seen`, whose targets must be known."""
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
    )
    weights = plan.class_weight
    return Model(
        modality=task.modality,
        kind=task.kind,
        classes=cast(tuple[Label, ...], task.classes),
        columns=task.columns,
        backbone=backbone,
        encoder=None if encoder is None else encoder.state(),
        head=fitted.head,
        method=plan.method,
        # JSON turns the keys of an object to text; pairs keep their type.
        options={
            "class_weight": [list(pair) for pair in weights.items()] if isinstance(weights, dict) else weights,
            "seed": plan.seed,
        },
        engine=seen.engine,
    )


def class_weight_of(model: Model) -> str | dict[Any, float] | None:
    """The class weight that a model was fitted with, as it was given."""
    stored = model.options["class_weight"]
    return dict(stored) if isinstance(stored, list) else cast("str | None", stored)


def answer(model: Model, seen: Seen) -> Array:
    """Probabilities (N, C) for classification and multilabel, values (N,) for regression."""
    encoder = None if model.encoder is None else TableEncoder.from_state(*model.encoder)
    return model.head.predict(_features(seen, encoder))


def _features(seen: Seen, encoder: TableEncoder | None) -> Array:
    """(N, D): what the backbone made of the inputs, or what the encoder makes of the columns."""
    if encoder is not None and isinstance(seen.task.inputs, pd.DataFrame):
        return encoder.transform(seen.task.inputs)
    return np.asarray(seen.values)
