"""Which backbone will serve a task: one pass over few rows each, over more where two are close (`hs.automl.rank`).

    n = 200, or 8 a class, of a stratified order of rows
    repeat   features of the rows up to n, of every candidate still in
             t_ci = what row i adds to the exact leave-one-out score of candidate c (`leave_one_out.py`)
             out goes each c whose paired difference mean_i (t_best,i - t_ci) is above 0, interval and all
             n <- 2 n
    until    one is left, or the rows are used up

Successive elimination (Even-Dar et al., 2006; halving: Jamieson and Talwalkar, 2016). The interval is that of the
paired bootstrap of what rows add, so that no row is fitted to itself. It is widened for (candidates - 1) x (looks)
questions, as Bonferroni would. Features are scaled as the heads of `fit` scale them. Rows of one group, or of one
content, are left out together. Rows of the test split are never looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from headstart.automl.candidates import backbones_for
from headstart.automl.intervals import bootstrap
from headstart.automl.leave_one_out import leave_one_out_rows
from headstart.automl.ranking import Place, Ranking
from headstart.automl.sample import stratified_order
from headstart.backbones.backbone import Backbone
from headstart.checks import whole
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.splits.groups import blocks
from headstart.defaults import with_own_defaults
from headstart.errors import DataError
from headstart.evidence.intervals import ALPHA, Interval
from headstart.features.cache.cache import Cache
from headstart.features.extraction import Extraction
from headstart.features.feature_set import look, through_window
from headstart.heads.standardize import standard
from headstart.listener import LOGGED, Listener
from headstart.tasks.task import Array, Task

__all__ = ["rank"]

NO_ROLES = Roles()
FIRST, A_CLASS, MOST = 200, 8, 1000


@with_own_defaults
def rank(
    data: Any,
    candidates: Sequence[str] | None = None,
    *,
    roles: Roles = NO_ROLES,
    kind: str | None = None,
    most: int = MOST,
    seed: int = 0,
    extraction: Extraction | None = None,
    listener: Listener = LOGGED,
) -> Ranking:
    """Rank backbones by the exact leave-one-out score of a ridge on their features, a log likelihood or R2.

    data        as in `headstart.fit`; pictures or texts, one class or one value a row
    candidates  names of backbones; None: the bundled ones on this machine
    most        rows that a candidate is scored on at most
    extraction  how the forward pass is run; None: as it suits the machine, features kept in the cache

    DataError where the data cannot be used so, BackboneError where no candidate can
    """
    whole("most", most, 2, str(MOST))
    task = read(data, roles=roles, kind=kind)
    if task.kind.several or task.kind.parts:
        raise DataError(
            f"kind {str(task.kind)!r}: ranking needs one class or one value a row; give one label at a time"
        )
    backbones, left_out = backbones_for(task.modality, candidates)
    order = stratified_order(task, seed)
    _require_rows(len(order))
    first = max(FIRST, A_CLASS * len(task.classes))
    sizes = _sizes(first, min(most, len(order)))
    extraction = extraction or Extraction(cache=Cache(), thumbs=False)
    running = [_Candidate(backbone, task, extraction, listener) for backbone in backbones]
    widen = _widening((len(running) - 1) * len(sizes))
    over: list[Place] = []
    places: list[Place] = []
    for size in sizes:
        for candidate in running:
            candidate.grow(order[:size])
        places = _places(running, task, widen)
        listener.say(f"  {size} rows: {places[0].name} leads {len(running)} of {len(backbones)} candidates")
        out = {place.name for place in places if place.behind.low > 0}
        over = [place for place in places if place.name in out] + over
        running = [candidate for candidate in running if candidate.backbone.name not in out]
        if len(running) < 2:
            break
    remaining = tuple(place for place in places if place.name not in {other.name for other in over})
    return Ranking(
        places=(*remaining, *over),
        left_out=left_out,
        measure="log likelihood" if task.kind.has_classes else "R2",
        available=len(order),
    )


@dataclass
class _Candidate:
    """A backbone, and the features of the rows that it has seen, by their position in the task."""

    backbone: Backbone
    task: Task
    extraction: Extraction
    listener: Listener
    seconds: float = 0.0
    rows: dict[int, tuple[bytes, Array]] = field(default_factory=dict)
    asked: int = 0

    def grow(self, positions: Array) -> None:
        """Run over those rows that are new."""
        new = self.task.take(positions[self.asked :])
        self.asked = len(positions)
        backbone, new = through_window(self.backbone, new, (self.task,), None, self.listener)
        feature_set = look(new, backbone, self.extraction, self.listener, f"features of {self.backbone.name}")
        self.extraction = self.extraction.as_fitted(feature_set.engine)
        place = {int(name): int(row) for name, row in zip(new.positions, positions[-len(new) :], strict=True)}
        values = np.asarray(feature_set.values)
        for name, key, row in zip(feature_set.task.positions, feature_set.keys, values, strict=True):
            self.rows[place[int(name)]] = (key, row)
        self.seconds += 0.0 if feature_set.features is None else feature_set.features.seconds

    def terms(self, rows: Sequence[int], groups: Array) -> Array:
        """(M,) what each of these rows adds to the score, answered without its group."""
        values = np.stack([self.rows[row][1] for row in rows])
        scale = standard(values, np.arange(len(values)), np.ones(len(values)), "shared")
        targets = np.asarray(self.task.targets)[list(rows)]
        return leave_one_out_rows(scale.apply(values), targets, kind=self.task.kind, groups=groups)


def _places(running: Sequence[_Candidate], task: Task, widen: float) -> list[Place]:
    """Of those still in, from the best on, on the rows that all of them have."""
    rows = [row for row in running[0].rows if all(row in candidate.rows for candidate in running)]
    _require_rows(len(rows))
    keys = [running[0].rows[row][0] for row in rows]
    groups = blocks(len(rows), keys, None, None if task.group is None else task.group[rows])
    terms = {candidate.backbone.name: candidate.terms(rows, groups) for candidate in running}
    highest = 0.0 if task.kind.has_classes else 1.0
    best, *others = sorted(terms, key=lambda name: -float(terms[name].mean()))
    seconds = {candidate.backbone.name: candidate.seconds for candidate in running}
    behind = {name: _widened(bootstrap(terms[best], terms[name], groups=groups), widen) for name in others}
    behind[best] = Interval(0.0, 0.0, 0.0)
    return [
        Place(name, bootstrap(terms[name], groups=groups, highest=highest), behind[name], len(rows), seconds[name])
        for name in (best, *others)
    ]


def _require_rows(count: int) -> None:
    if count < 2:
        raise DataError(
            f"rows that can be read, have a target and are not of the test split: {count}; expected two or more"
        )


def _sizes(first: int, most: int) -> list[int]:
    """How many rows at each look: twice as many each time."""
    sizes = [min(first, most)]
    while sizes[-1] < most:
        sizes.append(min(2 * sizes[-1], most))
    return sizes


def _widening(questions: int) -> float:
    """How much wider an interval is that is to hold for so many questions at once."""
    return float(stats.norm.isf(ALPHA / 2 / max(questions, 1)) / stats.norm.isf(ALPHA / 2))


def _widened(interval: Interval, factor: float) -> Interval:
    value, low, high = interval
    if math.isnan(low):
        return interval
    return Interval(value, value - factor * (value - low), value + factor * (high - value))
