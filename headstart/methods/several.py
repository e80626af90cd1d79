"""Rows of the table on several targets: learnt together where the row shares something, else each by itself."""

from __future__ import annotations

from headstart.methods.joint import Joint
from headstart.methods.method import Data, Fitted
from headstart.methods.plan import Plan
from headstart.methods.table import row_of
from headstart.multitask.parts import part_of

__all__ = ["alone", "fit_tasks", "shares"]

SHARED = "joint"
"""What several targets are learnt by unless a method is named."""


def shares(method: str) -> bool:
    """Whether targets that this method learns have more in common than frozen features."""
    return isinstance(row_of(Plan(method)), Joint)


def fit_tasks(plan: Plan, data: Data) -> tuple[Fitted, ...]:
    """A head for each part of the kind of the rows, which is several side by side, in their order.

    Where the row moves weights, all stand on one backbone. Raises ValueError where a part has nothing to learn from.
    """
    row, task = row_of(plan), data.rows.task
    task.kind.checked(task.targets, 0)
    if isinstance(row, Joint):
        return row.fit_tasks(plan, data)
    return tuple(row.fit(plan, data._replace(rows=part_of(data.rows, part))) for part in task.kind.parts)


def alone(plan: Plan) -> Plan:
    """The same learner on one task by itself."""
    return plan
