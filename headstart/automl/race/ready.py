"""What a race is run on: rows that the check left, a test split that is drawn first, and each backbone's features of
them, which are computed when an arm first needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from headstart.automl.race.limits import Limits, Needs, Sizes, held_bytes, needs_of, sizes_of
from headstart.automl.race.space import Arm
from headstart.automl.sample import stratified_order
from headstart.backbones.backbone import Backbone
from headstart.data.quality.check import Report
from headstart.data.splits.split import folds, split
from headstart.evidence.assess import NO_TRANSFER
from headstart.features.cache.answers import AnswerCache
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet, look, through_window
from headstart.listener import Listener
from headstart.methods.plan import Plan
from headstart.study.candidates import TaskCandidate
from headstart.study.resampling import TEST_SHARE, Trial, Trials, plan_trials
from headstart.study.untransferred import Untransferred
from headstart.tasks.goal import Answers
from headstart.tasks.task import Array, Task

__all__ = ["FOLDS", "Pace", "Ready", "held_out_split", "pace_of", "sampled"]

FOLDS = 4
_SAVED_A_SECOND = 40e6
"""Bytes that are written, read back and compared in a second."""
_EVIDENCE = 3.0
_FEW, _MORE = 8, 40
_OPPONENT = 4.0
"""How many times what a probe takes an opponent may that was not asked yet."""
_OVERHEAD = 8.0
"""How many times what its rows take a pass over few rows may take, at most."""


@dataclass
class Ready:
    """The rows, and what knows how to fit on them.

    base       all usable rows, as the first backbone saw them; trials: the one split
    plan       of every fit: class weight, seed and goal
    backbones  by name, None for columns; features: of all rows, by backbone
    paces      by backbone, seconds of a row
    extraction, window   how features are computed
    limits     of memory and disk; drawn: rows of the data that are used, before any was read
    seconds    of what was measured: no-transfer, probe
    """

    base: FeatureSet
    trials: Trials
    plan: Plan
    backbones: dict[str | None, Backbone | None]
    features: dict[str | None, FeatureSet]
    paces: dict[str, Pace]
    extraction: Extraction
    window: tuple[float, float] | None
    report: Report
    listener: Listener
    limits: Limits
    drawn: int
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        part = self.base.take(self.train)
        targets = np.asarray(part.task.targets)
        fold = folds(targets, part.task.kind, part.blocks, part.keys, k=FOLDS, seed=self.plan.seed)
        self.rows: Sequence[Array] = [np.flatnonzero(fold == number) for number in range(int(fold.max()) + 1)]
        self._sizes: dict[str, Sizes] = {}
        self._held = held_bytes()
        self._untransferred = Untransferred(self.plan, AnswerCache(None, self.listener.say))

    @property
    def train(self) -> Array:
        """(T,) numbers of the rows to learn from, among all."""
        return self.trials.trials[0].train

    @property
    def weights(self) -> dict[str, int]:
        """By backbone, how many it has."""
        modules = {each.name: each.module for each in self.backbones.values() if each is not None and each.module}
        return {name: sum(weight.numel() for weight in module.parameters()) for name, module in modules.items()}

    @property
    def stages(self) -> dict[str, int]:
        """By backbone, how many it has."""
        return {each.name: len(each.stages) for each in self.backbones.values() if each is not None}

    @property
    def first(self) -> str | None:
        """The first candidate, whose probe is what `fit` does without a budget."""
        return next(iter(self.backbones))

    def answers(self, arm: Arm, options: Any, fold: int, listener: Listener) -> Answers:
        """What is learnt from the other folds answers to this one."""
        test = self.train[self.rows[fold]]
        learn = np.setdiff1d(self.train, test)
        if not arm.reuses:
            return self._untransferred.answer(self.base.take(learn), self.base.take(test))
        candidate = self.candidate(arm, options, listener)
        return candidate.answer(candidate.fit(learn), test)

    def took(self, arm: Arm, seconds: float) -> None:
        """So long it took to answer to a fold; of those by which the end is foretold it is written down."""
        if arm.method == "probe" or not arm.reuses:
            self.seconds[arm.method] = seconds

    def candidate(self, arm: Arm, options: Any, listener: Listener, *, again: bool = False) -> TaskCandidate:
        """A setting as a candidate of a comparison; of one that moves weights, trained once, or `again` on all rows."""
        if not arm.reuses:
            how = (self.extraction, listener)
            return TaskCandidate(self.base, None, self.plan._replace(method=arm.method, options={}), how)
        once = {"refit": 0} if arm.tuned and not again else {}
        plan = self.plan._replace(method=arm.method, options={**options, **once}, control=False)
        rows = self.features[arm.backbone]
        how = (self.extraction.as_fitted(rows.engine or {}), listener)
        return TaskCandidate(rows, self.backbones[arm.backbone], plan, how)

    def preparation(self, arm: Arm) -> float:
        """Seconds of the forward pass, where it is still to come."""
        if not arm.reuses or arm.backbone in self.features:
            return 0.0
        return self.pass_seconds(arm.backbone, len(self.base))

    def obstacle(self, arm: Arm, options: Mapping[str, Any]) -> str:
        """Why an arm may not be begun, by what it would take of memory and disk; "" where it may."""
        backbone = self.backbones.get(arm.backbone)
        if not self.limits or backbone is None or not arm.reuses:
            return ""
        if backbone.name not in self._sizes:
            self._sizes[backbone.name] = sizes_of(backbone, self.base.task)
        others = [self.backbones[name] for name in self.features if name != arm.backbone]
        held = sum(4.0 * len(self.base) * each.dim for each in others if each is not None)
        cached = self.extraction.cache is not None
        needs = needs_of(arm, options, self._sizes[backbone.name], backbone.dim, len(self.base), cached=cached)
        return self.limits.obstacle(Needs(self._held + needs.memory + held, needs.disk + held * cached))

    def pass_seconds(self, backbone: str | None, rows: int) -> float:
        """Of so many rows through a backbone."""
        return 1.0 + rows * self.paces[backbone].features if backbone in self.paces else 0.0

    def prepare(self, arm: Arm, listener: Listener) -> None:
        """Features of all rows, those that are tested on at the end too, whose answers nobody looks at."""
        if not arm.reuses or arm.backbone in self.features:
            return
        backbone, task = through_window(self.backbones[arm.backbone], self.base.task, (), self.window, listener)
        new = look(task, backbone, self.extraction, listener)
        if len(new) != len(self.base):
            raise ValueError(f"{len(self.base) - len(new)} rows could not be read again")
        self.backbones[arm.backbone] = backbone
        self.features[arm.backbone] = replace(new, blocks=self.base.blocks)

    def closing(self, arm: Arm, fold_seconds: float, *, again: bool = False) -> float:
        """See `Evaluating`. A second training learns from the quarter more rows that the first held out, and does not
        go beyond the epoch that was best then."""
        more = len(self.train) / max(1, len(self.train) - len(self.rows[0]))
        return more * fold_seconds * (1 + again) + self.after_fit(arm)

    def after_fit(self, arm: Arm) -> float:
        """Seconds to test what was fitted and to save it."""
        more = len(self.train) / max(1, len(self.train) - len(self.rows[0]))
        size = 4 * self.weights.get(arm.backbone or "", 0)
        plain = self.seconds.get("probe", 1.0)
        others = more * (self.seconds.get(NO_TRANSFER, _OPPONENT * plain) + plain)
        return _EVIDENCE + others + size / _SAVED_A_SECOND


def held_out_split(rows: FeatureSet, seed: int) -> Trials:
    """The split that `fit` draws; where that would be cross-validation, which a race cannot go through so often, one of
    a quarter of the rows."""
    trials = plan_trials(rows, seed, repeats=1)
    if trials.held_out:
        return trials
    task = rows.task
    train, test = split(task.targets, task.kind, rows.blocks, rows.keys, test=TEST_SHARE, seed=seed)
    words = "one held-out quarter, opened once: few rows, and so wide intervals"
    return Trials((Trial(0, train, test),), test, words)


class Pace(NamedTuple):
    """Seconds of a row: through the network in float32 by torch, nothing read from the cache; and of the pass over all
    rows, some of which the cache may hold."""

    network: float
    features: float


def pace_of(backbone: Backbone, task: Task, extraction: Extraction, listener: Listener) -> Pace:
    """Measured on a few rows of the task, once the network has run: what more rows take, without what any number of
    rows takes."""
    if backbone.module is None:
        return Pace(0.0, 0.0)
    bare = replace(extraction, engine="torch", cache=None, thumbs=False)
    few, more = (task.take(np.arange(min(count, len(task)))) for count in (_FEW, _MORE))

    def timed(rows: Task, how: Extraction) -> float:
        began = perf_counter()
        look(rows, backbone, how, listener)
        return perf_counter() - began

    timed(few, bare)
    first, second = timed(few, bare), timed(more, bare)
    a_row = second / len(more)
    network = max(a_row / _OVERHEAD, (second - first) / max(1, len(more) - len(few)))
    return Pace(min(network, a_row), min(network, timed(more, extraction) / len(more)))


def sampled(task: Task, rows: int, seed: int) -> Task:
    """At most so many rows of a task, stratified; of rows that are to be tested on as large a share."""
    order = stratified_order(task, seed)
    if rows >= len(order):
        return task
    given = np.zeros(0, dtype=np.int64)
    if task.split is not None:
        given = np.flatnonzero(np.asarray(task.split) == "test")
        share = max(1, round(len(given) * rows / len(order))) if len(given) else 0
        given = np.random.default_rng(seed).permutation(given)[:share]
    return task.take(np.sort(np.concatenate([order[:rows], given])))
