"""Rows of the table on several targets: learnt together where the row shares something, else each by itself."""

from __future__ import annotations

import numpy as np

from headstart.heads.head import ClassWeight
from headstart.methods.finetune import FineTune
from headstart.methods.joint import Joint, decided
from headstart.methods.method import Data, Fitted, Method, require_backbone
from headstart.methods.plan import Plan
from headstart.methods.table import method, row_of
from headstart.multitask.parts import part_of
from headstart.multitask.tuning import loss_of_tasks, tune_tasks
from headstart.training.telling import Telling

__all__ = ["SHARED", "alone", "configured_for_tasks", "fit_tasks", "shares"]

SHARED = "joint"
"""What several targets are learnt by unless a method is named."""

_FIRST = "lp-ft"
"""How the weights move in a row that is called by its weighing alone."""


def shares(name: str) -> bool:
    """Whether targets that this method learns have more in common than frozen features."""
    return isinstance(method(name), Joint | FineTune)


def configured_for_tasks(plan: Plan) -> Method:
    """The row of a plan with its options set. ValueError, before any work is done, where it is for one target."""
    row = row_of(plan)
    if row.needs_source:
        raise ValueError(
            f"method {plan.method!r} draws on a source task, which is for one target: name one, or no source"
        )
    if not row.reuses:
        raise ValueError(f"method {plan.method!r} is for one target: fit each by itself, or use 'probe'")
    if isinstance(row, FineTune):
        loss_of_tasks(row.loss, plan.method)
    return row


def fit_tasks(plan: Plan, data: Data) -> tuple[Fitted, ...]:
    """A head for each part of the kind of the rows, which is several side by side, in their order.

    Where the row moves weights, all stand on one backbone. Raises ValueError where a part has nothing to learn from,
    and where the row is for one target.
    """
    row, task = configured_for_tasks(plan), data.rows.task
    task.kind.checked(np.asarray(task.targets), 0)
    if isinstance(row, Joint):
        return row.fit_tasks(plan, data)
    if isinstance(row, FineTune):
        return _tuned(row, plan, data)
    return tuple(row.fit(plan, data._replace(rows=part_of(data.rows, part))) for part in task.kind.parts)


def alone(plan: Plan) -> Plan:
    """The same learner on one task by itself: without what weighs several, and its options."""
    row = method(plan.method)
    if not isinstance(row, FineTune) or not row.needs_tasks:
        return plan
    first, plus, _ = plan.method.partition("+")
    name = first if plus else _FIRST
    declared = method(name).options()
    return plan._replace(method=name, options={key: value for key, value in plan.options.items() if key in declared})


def _tuned(row: FineTune, plan: Plan, data: Data) -> tuple[Fitted, ...]:
    extraction, listener = data.how
    backbone = require_backbone(row, plan.method, data.backbone, data.rows.task.modality)
    tuned = tune_tasks(
        data.rows,
        backbone,
        plan.method,
        row.tuning,
        class_weight=_class_weight(plan),
        extraction=extraction,
        telling=Telling.to(listener, plan.method),
    )
    return decided(tuple(Fitted(head, tuned.backbone, None, tuned.notes) for head in tuned.heads), plan, data.rows.task)


def _class_weight(plan: Plan) -> ClassWeight:
    """ "balanced" or None. ValueError for weights of classes, which several targets do not have in common."""
    if plan.class_weight not in (None, "balanced"):
        raise ValueError(f"class_weight = {plan.class_weight!r}: several targets take only 'balanced'")
    return plan.weights(())
