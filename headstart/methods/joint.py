"""The row `joint`: heads of several tasks on frozen features, fitted together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, cast

import numpy as np
import pandas as pd

from headstart.data.splits.split import folds
from headstart.heads.decision import utility_of
from headstart.heads.prior import shares_of
from headstart.heads.sample_weights import row_weights
from headstart.methods.method import Data, Fitted, Option, Source
from headstart.methods.plan import Plan
from headstart.methods.probe import counted, features_of
from headstart.multitask.joint import fit_joint
from headstart.multitask.parts import answers_of
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks.side_by_side import Part, SideBySide, side_by_side
from headstart.tasks.task import Array, Task

__all__ = ["Joint", "decided"]


@dataclass(frozen=True)
class Joint:
    """Ridge regressions that share a low-rank metric, see `multitask.coupled_ridge`. Of one task, its classes share
    it."""

    about: str
    needs_source: ClassVar[bool] = False
    needs_teacher: ClassVar[bool] = False
    needs_tasks: ClassVar[bool] = False
    moves_weights: ClassVar[bool] = False
    reuses: ClassVar[bool] = True

    def options(self) -> dict[str, Option]:
        """None."""
        return {}

    def configured(self, name: str, options: Mapping[str, Any], seed: int) -> Self:
        """Itself. Raises ValueError for any option."""
        if options:
            raise ValueError(f"method {name!r} moves no weights and has no option {next(iter(options))!r}")
        return self

    def fit(self, plan: Plan, data: Data, source: Source | None = None) -> Fitted:
        """A head for one task."""
        task = data.rows.task
        task.kind.checked(np.asarray(task.targets), max(1, len(task.classes)))
        kind = side_by_side([("target", task.kind, task.classes)])
        targets = kind.joined([np.asarray(task.targets)], np.ones((len(task), 1), bool))
        rows = replace(data.rows, task=replace(task, kind=kind, targets=targets))
        return self.fit_tasks(plan, data._replace(rows=rows))[0]

    def fit_tasks(self, plan: Plan, data: Data) -> tuple[Fitted, ...]:
        """A head for each of the parts of the kind of the rows, all on one backbone or encoder."""
        rows, backbone = counted(data.rows), data.backbone
        task = rows.task
        encoder = TableEncoder.fit(cast(pd.DataFrame, task.inputs)) if task.modality.has_names else None
        heads = fit_joint(
            features_of(rows, encoder),
            answers_of(task, plan.weights(task.classes)),
            folds(task.targets, task.kind, rows.blocks, rows.keys, seed=plan.seed),
            forms=("plain",) if backbone is None else ("plain", "root"),
            scale="each" if backbone is None else "shared",
        )
        return decided(tuple(Fitted(head, backbone, encoder) for head in heads), plan, task)


def decided(fits: tuple[Fitted, ...], plan: Plan, task: Task) -> tuple[Fitted, ...]:
    """A fit for each part of the kind of the task, its answers decided for the goal, or for the headline of the part,
    by the shares of its classes; no rows are held out, so that nothing can be expected of F1."""
    kind, targets = cast(SideBySide, task.kind), np.asarray(task.targets)
    parts = zip(fits, kind.parts, kind.apart(targets), kind.known_apart(targets).T, strict=True)
    return tuple(
        fitted._replace(head=fitted.head.decided_by(_utility(part, values[known], plan, task)))
        if part.kind.exclusive
        else fitted
        for fitted, part, values, known in parts
    )


def _utility(part: Part, targets: Array, plan: Plan, task: Task) -> Array | None:
    codes, classes = targets.astype(np.int64), len(part.classes)
    shares = shares_of(codes, row_weights(codes, part.kind, plan.weights(task.classes)), classes)
    return utility_of(plan.aim(part.kind, part.classes), np.zeros((0, classes)), shares)
