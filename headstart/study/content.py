"""All that the answers of a contender follow from, as parts of the key under which they are cached."""

from __future__ import annotations

import numpy as np
import pandas as pd

from headstart.backbones.backbone import Backbone
from headstart.features.cache.answers import Part
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.methods.plan import Plan
from headstart.tasks.goal import Answers, Decided
from headstart.tasks.task import Array, Task

__all__ = ["REVISION", "aim_of", "content", "fitted_by", "packed", "seen_by", "unpacked"]

REVISION = 3
"""Raised by whoever changes what a method, a head or a pretrained classifier answers, or what is kept of it."""


def content(rows: FeatureSet) -> tuple[Part, ...]:
    """All that a model can look at in these rows.

    Keys take 1, 1.0 and a category of 1 to be the same, which the columns of a table do not.
    """
    inputs = rows.plain_inputs
    if isinstance(inputs, pd.DataFrame):
        types = [f"{name!r} {column.dtype!r}" for name, column in inputs.items()]
        mixed = [repr(column.tolist()) for _, column in inputs.items() if column.dtype == object]
        return (rows.keys, types, mixed)
    if isinstance(inputs, np.ndarray) and not inputs.dtype.hasobject:
        return (rows.keys, inputs)
    return (rows.keys,)


def aim_of(plan: Plan, task: Task) -> Part:
    """What a plan aims at in this task."""
    aim = plan.aim(task.kind, task.classes)
    return repr((aim.metric, aim.code, None if aim.costs is None else aim.costs.tolist()))


def packed(answers: Answers) -> tuple[Array, ...]:
    """Answers as arrays, to be kept."""
    return tuple(answers) if isinstance(answers, Decided) else (answers,)


def unpacked(arrays: tuple[Array, ...]) -> Answers:
    """The answers of `packed`."""
    return Decided(*arrays) if len(arrays) > 1 else arrays[0]


def fitted_by(plan: Plan, learnt: FeatureSet) -> tuple[Part, ...]:
    """What a method learns from these rows by: its options, and what is known of each row."""
    task = learnt.task
    options = (
        plan.method,
        repr(sorted(plan.options.items())),
        plan.seed,
        repr(plan.weights(task.classes)),
        aim_of(plan, task),
    )
    asked = (task.kind, task.modality, len(task.classes))
    return (*options, *asked, np.asarray(task.targets), task.weight, learnt.blocks, *content(learnt))


def seen_by(rows: FeatureSet, backbone: Backbone, extraction: Extraction) -> tuple[Part, ...]:
    """What features hang on: the network with what it is fed, and who calculates."""
    device = extraction.device.partition(":")[0]
    return (backbone.fingerprint, list(rows.calculated_by), extraction.engine, extraction.precision, device)
