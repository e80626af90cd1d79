"""Which backbone will serve a task: one pass over few rows each, over more where two are close (`hs.automl.rank`).

    n = 200, or 8 a class, of a stratified order of rows
    repeat   features of the rows up to n, of every candidate still in
             t_ci = what row i adds to the exact leave-one-out score of candidate c (`leave_one_out.py`)
             out goes each c whose paired difference mean_i (t_best,i - t_ci) is above 0, interval and all
             n <- 2 n
    until    one is left, or the rows are used up

Successive elimination (Even-Dar et al., 2006; halving: Jamieson and Talwalkar, 2016). The interval is that of the
paired bootstrap of what rows add, so that no row is fitted to itself. It is widened for (candidates - 1) x (looks)
questions, as Bonferroni would. Layers and poolings of one backbone are read in one pass. Features are scaled as the
heads of `fit` scale them. Rows of one group, or of one content, are left out together. Rows of the test split are never
looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from headstart.automl.candidates import trunks_for
from headstart.automl.measures import DEFAULT, compared, measure_in_words, require_score
from headstart.automl.passes import Candidate, Pass, candidates_of
from headstart.automl.ranking import Place, Ranking
from headstart.automl.sample import stratified_order
from headstart.automl.wanted import wanted
from headstart.checks import whole
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.data.splits.groups import blocks
from headstart.defaults import with_own_defaults
from headstart.errors import BackboneError, DataError
from headstart.evidence.intervals import ALPHA, Interval
from headstart.features.cache.cache import Cache
from headstart.features.extraction import Extraction
from headstart.listener import LOGGED, Listener
from headstart.tasks.task import Array, SetAside, Task

__all__ = ["MOST", "rank"]

NO_ROLES = Roles()
FIRST, A_CLASS, MOST = 200, 8, 1000


@with_own_defaults
def rank(
    data: Any,
    candidates: Sequence[str] | str | None = None,
    *,
    roles: Roles = NO_ROLES,
    kind: str | None = None,
    score: str = DEFAULT,
    most: int = MOST,
    seed: int = 0,
    extraction: Extraction | None = None,
    listener: Listener = LOGGED,
) -> Ranking:
    """Rank backbones, and their layers and poolings, by the exact leave-one-out score of a ridge on their features.

    data        as in `headstart.fit`; pictures or texts, one class or one value a row
    candidates  names of backbones; None: the bundled ones on this machine; a string: as after `--candidates`, such as
                "bundled", "timm:resnet*", a file's name or names with commas between them
    score       any score of features in `SCORES`; leave-one-out is a log likelihood, or of values R2
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
    require_score(score, task.kind)
    order = stratified_order(task, seed)
    _require_rows(len(order))
    _require_contrast(task, order)
    left_out: tuple[SetAside, ...] = ()
    if isinstance(candidates, str):
        candidates, left_out = wanted(candidates, task.modality)
    trunks, unusable = trunks_for(task.modality, candidates)
    extraction = extraction or Extraction(cache=Cache(), thumbs=False)
    passes = [Pass(trunk, candidates_of(trunk), task, extraction, listener) for trunk in trunks]
    race = _Race(task, order, score, passes, (*left_out, *unusable), listener)
    first = max(FIRST, A_CLASS * len(task.classes))
    return race.run(_sizes(first, min(most, len(order))))


class _Race:
    """Candidates on more and more rows, until one is left or the rows are used up."""

    def __init__(
        self,
        task: Task,
        order: Array,
        score: str,
        passes: list[Pass],
        left_out: tuple[SetAside, ...],
        listener: Listener,
    ) -> None:
        self.task, self.order, self.score, self.listener = task, order, score, listener
        self.passes, self.left_out = passes, left_out
        self.count = len(self.running)
        self.places: list[Place] = []
        self.over: list[Place] = []

    @property
    def running(self) -> list[Candidate]:
        return [candidate for one_pass in self.passes for candidate in one_pass.candidates]

    def run(self, sizes: Sequence[int]) -> Ranking:
        widen = _widening((self.count - 1) * len(sizes))
        try:
            for size in sizes:
                self._look(size, widen)
                if len(self.running) < 2:
                    break
        except KeyboardInterrupt:
            if self.places:
                best = self.places[0]
                self.listener.say(f"  interrupted: so far {best.name} leads, on {best.rows} rows")
            raise
        over = {place.name for place in self.over}
        return Ranking(
            places=(*(place for place in self.places if place.name not in over), *self.over),
            left_out=self.left_out,
            measure=measure_in_words(self.score, self.task.kind),
            available=len(self.order),
            notes=self._notes(),
        )

    def _look(self, size: int, widen: float) -> None:
        for running in list(self.passes):
            try:
                running.grow(self.order[:size])
            except BackboneError as error:
                self.passes.remove(running)
                self.left_out += tuple(SetAside(each.name, str(error)) for each in running.candidates)
        if not self.passes:
            reasons = "; ".join(f"{item.name}: {item.why}" for item in self.left_out)
            raise BackboneError(f"none of the candidates can be used. {reasons}")
        self.places = self._compared(widen)
        leader = self.places[0]
        self.listener.say(f"  {leader.rows} rows: {leader.name} leads {len(self.running)} of {self.count} candidates")
        out = {place.name for place in self.places if place.behind.low > 0}
        self.over = [place for place in self.places if place.name in out] + self.over
        for running in self.passes:
            running.keep({each.name for each in running.candidates} - out)
        self.passes = [running for running in self.passes if running.candidates]

    def _compared(self, widen: float) -> list[Place]:
        """Of those still in, from the best on, on the rows that all of them have."""
        rows = [row for row in self.passes[0].keys if all(row in each.keys for each in self.passes)]
        _require_rows(len(rows))
        keys = [self.passes[0].keys[row] for row in rows]
        groups = blocks(len(rows), keys, None, None if self.task.group is None else self.task.group[rows])
        targets = np.asarray(self.task.targets)[rows]
        _require_contrast(self.task, np.array(rows))
        features = {candidate.name: candidate.features(rows) for candidate in self.running}
        seconds = {candidate.name: candidate.seconds for candidate in self.running}
        return [
            Place(name, value, _widened(behind, widen), len(rows), seconds[name])
            for name, value, behind in compared(self.score, features, targets, groups, self.task.kind)
        ]

    def _notes(self) -> tuple[str, ...]:
        failed: dict[int, SetAside] = {}
        for each in self.passes:
            failed |= each.failed
        notes = list(self.task.notes)
        if failed:
            first = next(iter(failed.values()))
            rows = "row" if len(failed) == 1 else "rows"
            notes.append(f"{len(failed)} {rows} could not be read, such as {first.name}: {first.why}")
        return tuple(notes)


def _require_contrast(task: Task, rows: Array) -> None:
    targets = np.asarray(task.targets)[rows]
    if (targets == targets[0]).all():
        value = task.classes[int(targets[0])] if task.classes else targets[0]
        expected = "two classes at least" if task.kind.has_classes else "values that differ"
        raise DataError(f"the target is {value!r} in all {len(rows)} rows that can be used: expected {expected}")


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
