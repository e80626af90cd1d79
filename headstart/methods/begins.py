"""What a fit begins with: the backbone that is named, or the default of the inputs."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.backbones.backbone import Backbone
from headstart.backbones.load import default, load
from headstart.backbones.tables import is_table_prior
from headstart.meta_learning.rule import modality_of
from headstart.tasks.task import Task

__all__ = ["pretrained_for", "refuse_backbone"]


def pretrained_for(name: str | None, task: Task, beside: Sequence[Task]) -> Backbone | None:
    """The backbone of this name for a task; of tables and arrays only one that is made for them, else None.

    beside   other tasks that a fit will draw on: ValueError where a backbone of tables has no use with them
    """
    if not task.modality.has_columns:
        return load(name or default(task.modality))
    if is_table_prior(name, beside):
        return load(str(name))
    if name is None or modality_of(name) != task.modality:
        return None
    if beside and task.modality.has_names:
        raise ValueError(f"backbone {name!r} has no use with a source: leave it out")
    return load(name)


def refuse_backbone(method: str, name: str | None) -> None:
    """ValueError where a backbone is named for a method that reuses nothing."""
    if name is not None:
        raise ValueError(f"method {method!r} reuses nothing: leave backbone {name!r} out, or use 'probe'")
