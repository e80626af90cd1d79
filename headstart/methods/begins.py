"""What a fit begins with: the backbone that is named, or the default of the inputs."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.backbones.backbone import Backbone
from headstart.backbones.load import default, load
from headstart.backbones.tables import is_table_prior
from headstart.data.bit_depth import Window, check_window
from headstart.data.losses import require_all_read
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet, glance, look, through_window
from headstart.listener import Listener
from headstart.meta_learning.rule import modality_of
from headstart.methods.table import method
from headstart.tasks.task import Task

__all__ = ["look_to_fit", "pretrained_for", "readable"]


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


def look_to_fit(
    method_name: str,
    name: str | None,
    task: Task,
    beside: Sequence[Task],
    window: Window | None,
    how: tuple[Extraction, Listener],
) -> tuple[Backbone | None, FeatureSet]:
    """The backbone that a method begins with, in the window for these tasks, and what it makes of the first of them.

    ValueError where a backbone is named for a method that reuses nothing.
    """
    reuses = method(method_name).reuses
    if not reuses and name is not None:
        raise ValueError(f"method {method_name!r} reuses nothing: leave backbone {name!r} out, or use 'probe'")
    if not reuses and not task.modality.has_columns:
        asked = None if window is None else check_window(window)
        return None, glance(task, *how, window=asked, learns=True)
    backbone = pretrained_for(name, task, beside) if reuses else None
    backbone, task = through_window(backbone, task, beside, window, how[1])
    return backbone, look(task, backbone, *how)


def readable(rows: FeatureSet) -> FeatureSet:
    """The same rows. DataError where some were set aside: in scikit-learn each input has its answer."""
    require_all_read(rows.task)
    return rows
