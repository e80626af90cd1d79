"""One fit that draws on a source task and moves weights: a head for the target, on a backbone that learnt from both."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look_again
from headstart.listener import Listener
from headstart.methods.finetune import Tuned, tune
from headstart.methods.plan import Plan
from headstart.methods.table import adapts
from headstart.tasks.task import Array
from headstart.training.loop import Telling

__all__ = ["adapt", "answers", "needs_weights", "unlabelled"]


def needs_weights(name: str, backbone: Backbone | None, modality: str) -> None:
    """Raises ValueError where the method moves weights and the task has none."""
    if adapts(name) and backbone is None:
        raise ValueError(
            f"method {name!r} moves weights, and a {modality} has none: use one that moves features, such as 'coral'"
        )


def adapt(
    source: FeatureSet, target: FeatureSet, backbone: Backbone, plan: Plan, how: tuple[Extraction, Listener]
) -> Tuned:
    """Weights learnt from both by the plan's method. Answers of target rows that may not be used are None or -1."""
    extraction, listener = how
    tuning = plan.tuning
    if tuning is None:
        raise ValueError(f"method {plan.method!r} moves no weights")
    telling = Telling(partial(listener.progress, f"{plan.method}: epochs"), listener.say)
    weights = plan.weights(source.task.classes)
    return tune(
        source,
        backbone,
        plan.method,
        tuning,
        target=target,
        class_weight=weights,
        extraction=extraction,
        telling=telling,
    )


def unlabelled(seen: FeatureSet) -> FeatureSet:
    """The same rows without their answers."""
    return replace(seen, task=replace(seen.task, targets=None))


def answers(tuned: Tuned, seen: FeatureSet, before: Backbone, extraction: Extraction) -> Array:
    """Of the moved backbone and its head, for rows that the backbone has seen before it moved."""
    moved = tuned.backbone.fingerprint != before.fingerprint
    again = look_again(seen, tuned.backbone, extraction) if moved else seen
    return tuned.head.predict(np.asarray(again.values))
