"""From what was fitted to a model to keep, and from a model to answers."""

from __future__ import annotations

from typing import Any, cast

from headstart.artefact import Model
from headstart.artefact.model import Label
from headstart.features.feature_set import FeatureSet
from headstart.heads.facts import TrainingFacts
from headstart.heads.head import Head
from headstart.methods.answers import answer, features
from headstart.methods.method import Fitted
from headstart.methods.plan import Plan
from headstart.tasks.task import Columns

__all__ = ["answer", "class_weight_of", "features", "learnt_by", "model_of", "steps_of"]


def model_of(
    fitted: Fitted, plan: Plan, rows: FeatureSet, *, classes: tuple[Any, ...], columns: Columns | None
) -> Model:
    """A model for inputs like `rows`; `classes` are those of the head's outputs."""
    name = plan.method if fitted.adaptation is None else fitted.adaptation.chosen.name
    return Model(
        modality=rows.task.modality,
        kind=rows.task.kind,
        classes=cast(tuple[Label, ...], classes),
        columns=columns,
        backbone=fitted.backbone,
        encoder=None if fitted.encoder is None else fitted.encoder.state(),
        head=fitted.head,
        method=name,
        options={
            "class_weight": _stored(plan.class_weight),
            "seed": plan.seed,
            "goal": None if plan.goal is None else plan.goal.to_json(),
            "method": dict(plan.options) if name == plan.method else {},
        },
        engine={} if fitted.backbone is None else rows.engine,
        notes=fitted.notes if fitted.adaptation is None else (),
    )


def learnt_by(head: Head) -> int:
    """How many figures were learnt from the task, in the head and in the backbone that moved with it."""
    if isinstance(head.facts, TrainingFacts) and head.facts.parameters:
        return head.facts.parameters
    return sum(array.size for name, array in head.arrays.items() if name.startswith(("weight.", "bias.", "trees")))


def steps_of(head: Head) -> int:
    """How many steps of an optimizer it took, in the training that was stopped by rows held out; 0 without one."""
    return head.facts.steps if isinstance(head.facts, TrainingFacts) else 0


def class_weight_of(model: Model) -> str | dict[Any, float] | None:
    """The class weight that a model was fitted with, as it was given."""
    stored = model.options["class_weight"]
    return dict(stored) if isinstance(stored, list) else cast("str | None", stored)


def _stored(class_weight: str | dict[Any, float] | None) -> Any:
    """A class weight as JSON, whose objects would turn their keys to text; pairs keep their type."""
    return [list(pair) for pair in class_weight.items()] if isinstance(class_weight, dict) else class_weight
