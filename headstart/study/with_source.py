"""The protocol where there is a source: divide the target, and say who is fitted and tested on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from headstart.adaptation.domain_pair import answered
from headstart.backbones.backbone import Backbone
from headstart.data.join import join
from headstart.data.losses import require_few_lost
from headstart.data.pair import Pair, foreign, named, pair
from headstart.data.quality.check import Report
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.errors import DataError
from headstart.features.feature_set import FeatureSet, look
from headstart.features.held_pixels import HeldPixels
from headstart.listener import Listener
from headstart.methods.plan import Plan
from headstart.methods.task_pair import StrategyFitter, TaskPair
from headstart.study.check import checked
from headstart.study.comparison import Comparison
from headstart.study.source_comparison import Untested, source_comparison
from headstart.study.stopwatch import Stopwatch
from headstart.tasks.task import Task
from headstart.transfer import Transfer

__all__ = ["beside_source", "comparison_with_source", "with_test"]


def comparison_with_source(
    both: Pair,
    target: FeatureSet,
    fitted: Transfer,
    plan: Plan,
    watch: Stopwatch,
    labels: bool,
    allow_losses: bool,
    listener: Listener,
    before: Backbone | None = None,
    pixels: HeldPixels | None = None,
) -> tuple[Comparison | Untested, Report | None]:
    """The plan's method on a target that the backbone has seen and on its source, to be tested; and what the check
    says of the target.

    before   what the backbone began from, where the user pretrained it
    pixels   where prepared pictures are held for the control from random weights
    """
    tasks, fitter, report = beside_source(both, target, fitted, plan, watch, labels, allow_losses, listener, pixels)
    return source_comparison(tasks, fitter, watch, before), report


def beside_source(
    both: Pair,
    target: FeatureSet,
    fitted: Transfer,
    plan: Plan,
    watch: Stopwatch,
    labels: bool,
    allow_losses: bool,
    listener: Listener,
    pixels: HeldPixels | None = None,
) -> tuple[TaskPair, StrategyFitter, Report | None]:
    """A target that the backbone has seen beside its source, who fits methods to both, and what the check says of the
    target."""
    extraction = replace(fitted.extraction(target.engine or None), pixels=pixels)
    with watch("features"):
        source = look(both.source, fitted.backbone_, extraction, listener, "source")
    if pixels is not None:
        pixels.close()
    require_few_lost(source.task, allow=allow_losses, of="the source")
    with watch("check"):
        target, labelled, report = _divided(target, listener)
    tasks = TaskPair(source, target, labelled, both.notes)
    fitter = StrategyFitter(tasks, fitted.backbone_, plan, (extraction, listener), labels=labels)
    return tasks, fitter, report


def _divided(target: FeatureSet, listener: Listener) -> tuple[FeatureSet, int, Report | None]:
    """The target rows that can be used, those with an answer first, and how many these are.

    Of the others those are left out that are there with an answer too, and those of a given test split.
    """
    answers, split = target.task.targets, target.task.split
    if answers is None:
        return target, 0, None
    labelled = answered(answers, target.task.kind)
    answered_rows, report = checked(target.take(np.flatnonzero(labelled)), listener, taught=True)
    labelled_keys = set(answered_rows.keys)
    bare = [row for row in np.flatnonzero(~labelled).tolist() if target.keys[row] not in labelled_keys]
    bare = [row for row in bare if split is None or split[row] != "test"]
    rows = np.concatenate([np.flatnonzero(labelled)[report.keep], np.array(bare, np.int64)])
    bare_blocks = answered_rows.blocks.max(initial=0) + 1 + np.arange(len(bare))
    return (
        replace(target.take(rows), blocks=np.concatenate([answered_rows.blocks, bare_blocks])),
        len(answered_rows),
        report,
    )


def with_test(both: Pair, test: Any, roles: Roles, *, allow_losses: bool = True) -> Task:
    """The target, with the user's own test data behind it."""
    if both.source.kind.several:
        raise DataError(
            "the source asks for several labels a row, and knowledge of that is not carried over: give one label a row"
        )
    if test is None:
        return both.target
    target = both.target
    columns = named(target.columns, both.source.columns)
    tested = read(test, roles=replace(roles, modality=target.modality), kind=both.source.kind, columns=columns)
    require_few_lost(tested, allow=allow_losses, of="the test data")
    test_pair = pair(both.source, tested)
    joined = join(target, test_pair.target)
    return replace(joined, notes=joined.notes + tuple(f"test data: {note}" for note in foreign(test_pair.open)))
