"""Whether a model without transfer is kept, in the place of one with it.

It is where the training rows, each held out of its own fit, show it to be better: of the aim (right answers, right
answers by class, costs) it loses less by over `AIMED` standard errors of the paired difference, and of the log loss, or
the squared error, by over `OWN`. The rows that are tested have no part in that, and their figures stay what they are.

Where those say nothing so clear, or there are none (a method that moves weights), the rows that are tested may still
show that transfer hurts: then it is kept too, and the evidence says that they were looked at once more.
Where neither tells, what was asked for is kept. See `docs/decisions/0018-the-model-without-transfer.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from headstart.data.splits.split import folds
from headstart.evidence.assess import NO_TRANSFER, Gain
from headstart.evidence.baselines.no_transfer import MODELS
from headstart.evidence.verdict import verdict
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.heads.fitter import pose_answers
from headstart.heads.paired import standard_error
from headstart.heads.score import Losses, score
from headstart.listener import Listener
from headstart.methods.method import Fitted
from headstart.methods.plan import Plan
from headstart.methods.probe import counted
from headstart.methods.table import method
from headstart.study.candidates import TaskCandidate
from headstart.study.untransferred import Untransferred
from headstart.tasks.task import Array

__all__ = ["AIMED", "COLUMNS", "OWN", "TESTED", "Less", "WithoutTransfer", "less_lost", "without_transfer"]

COLUMNS = "columns"
"""What the model without transfer of a table is called, beside the opponent `no-transfer`, which cannot be kept."""
AIMED, OWN = 1.0, 1.5
_LEARNT = (
    "the training rows, each held out of its own fit, show the model without transfer to be better; the rows to test "
    "on had no part in that"
)
TESTED = "the held-out rows show the model without transfer to be better; they were looked at once more for this choice"


class Less(NamedTuple):
    """How much less is lost without transfer than with it, of a mean over rows, and its standard error.

    aimed   of the aim
    own     of the log loss, or the squared error
    """

    aimed: tuple[float, float]
    own: tuple[float, float]

    @property
    def better(self) -> bool:
        """Whether the model without transfer is the better one."""
        return self.aimed[0] > AIMED * self.aimed[1] and self.own[0] > OWN * self.own[1]


def less_lost(rows: FeatureSet, plan: Plan, *, transferred: Array, plain: Array) -> Less:
    """Compare out-of-fold logits (N, C) of two models for the rows that count."""
    rows = counted(rows)
    task, targets = rows.task, np.asarray(rows.task.targets)
    problem = pose_answers(
        targets,
        kind=task.kind,
        classes=max(1, len(task.classes)),
        folds=folds(targets, task.kind, rows.blocks, rows.keys, seed=plan.seed),
        class_weight=plan.weights(task.classes),
        weights=task.weight,
    )
    aim = plan.aim(task.kind, task.classes)
    with_, without = (score(problem, out, aim=aim) for out in (transferred, plain))
    own = _less(with_.own, without.own, rows.blocks)
    if with_.aimed is None or without.aimed is None:
        return Less(own, own)
    return Less(_less(with_.aimed, without.aimed, rows.blocks), own)


def _less(with_: Losses, without: Losses, blocks: Array) -> tuple[float, float]:
    differences = with_.rows - without.rows
    return float(without.weights @ differences), standard_error(differences, without.weights, blocks)


def without_transfer(
    rows: FeatureSet, plan: Plan, how: tuple[Extraction, Listener], untransferred: Untransferred
) -> WithoutTransfer | None:
    """The model that may be kept in the place of the plan's; None where there is none, or it is not to be kept."""
    if not method(plan.method).reuses or plan.keep_transfer or plan.keep_tuned:
        return None
    if rows.task.modality.has_columns:
        rows = replace(rows, values=rows.task.modality.columns(rows.task.inputs), features=None)
    candidate = TaskCandidate(rows, None, plan.plain, how)
    if rows.task.modality in MODELS:
        return WithoutTransfer(NO_TRANSFER, candidate, untransferred.out_of_fold)
    return WithoutTransfer(COLUMNS, candidate, candidate.out_of_fold) if rows.task.modality.has_columns else None


class WithoutTransfer(NamedTuple):
    """The model without transfer as one that may be kept.

    name          under which it is a contender
    candidate     it, on the rows of the task
    out_of_fold   rows -> what it says of those that count, each held out; None where that is no model to keep
    """

    name: str
    candidate: TaskCandidate
    out_of_fold: Callable[[FeatureSet], Array | None]

    def against(self, gains: Mapping[str, Gain], fitted: Fitted, rows: Array) -> str:
        """Why it is kept in the place of what was fitted to these rows; see `comparison.Plain`."""
        if fitted.out_of_fold is not None and self._learnt(fitted.out_of_fold, rows):
            return _LEARNT
        return TESTED if verdict(gains[self.name].interval) == "hurts" else ""

    def _learnt(self, transferred: Array, rows: Array) -> bool:
        """Whether the training rows show it to be better."""
        learnt = self.candidate.rows.take(rows)
        plain = self.out_of_fold(learnt)
        return plain is not None and less_lost(learnt, self.candidate.plan, transferred=transferred, plain=plain).better
