"""From names to ways: who fits and answers, on the rows of one task or beside a source."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from headstart.backbones.backbone import Backbone
from headstart.backbones.tables import is_table_prior
from headstart.evidence.assess import NO_TRANSFER
from headstart.features.cache.answers import AnswerCache, Entry
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.heads.decision import decide
from headstart.listener import Listener
from headstart.methods.model import learnt_by, steps_of
from headstart.methods.plan import Plan
from headstart.methods.table import method
from headstart.methods.task_pair import StrategyFitter, TaskPair
from headstart.study.candidates import SourceCandidate, TaskCandidate
from headstart.study.contenders import answer_cache, direct_answers
from headstart.study.content import REVISION, content, fitted_by, seen_by
from headstart.study.measured import FitCost, Measured, Outcome, measured
from headstart.study.methods_compared.ways import DIRECT, SCRATCH, Way, Wish, about_of, is_method
from headstart.study.resampling import Trials
from headstart.study.source_contenders import unadapted_names
from headstart.study.untransferred import Untransferred
from headstart.tasks.goal import Answers, Decided, taken
from headstart.tasks.task import Array

__all__ = ["LeftOut", "Material", "ways_of"]


class LeftOut(NamedTuple):
    """Ways that would have been compared, and why they are not, in words."""

    names: tuple[str, ...]
    why: str


class Material(NamedTuple):
    """What all ways learn from.

    rows     of the task, whose answers are known
    plan     seed, class weight and goal
    source   of a source beside the task: both tasks, and who fits methods to them; None without one
    """

    rows: FeatureSet
    backbone: Backbone | None
    plan: Plan
    how: tuple[Extraction, Listener]
    trials: Trials
    source: tuple[TaskPair, StrategyFitter] | None = None

    @property
    def labels(self) -> bool:
        """Whether answers of the task may be learnt from."""
        return self.source is None or self.source[1].labels


def ways_of(material: Material, wish: Wish) -> tuple[list[Way], list[LeftOut]]:
    """Those that can be, and those that cannot. ValueError where the user named one that cannot."""
    why: dict[str, list[str]] = {}
    ways = []
    unadapted: list[str] = []
    if material.source is not None:
        unadapted = unadapted_names(material.rows, material.source[1], material.trials)
    for name in wish.names:
        reason = _missing(name, material, unadapted)
        way = None if reason else _way(name, material, wish)
        if way is not None:
            ways.append(way)
            continue
        reason = reason or "the pretrained classifier does not know the classes of the data, or there is none"
        if name in wish.asked:
            raise ValueError(f"{name!r} cannot be compared here: {reason}")
        why.setdefault(reason, []).append(name)
    return ways, [LeftOut(tuple(names), reason) for reason, names in why.items()]


def _missing(name: str, material: Material, unadapted: list[str]) -> str:
    """What a way would need and is not there; "" where it can be."""
    row = method(name) if is_method(name) else None
    backbone = material.backbone
    if row is not None and row.moves_weights and (backbone is None or backbone.module is None):
        return f"a {material.rows.task.modality} has no weights that move"
    if name == SCRATCH and backbone is not None and backbone.random is None:
        return f"{backbone.name} has no weights that could be random"
    if not material.labels and name != DIRECT and not (row is not None and row.needs_source):
        return "no answer of the target may be learnt from"
    if name in ("source-only", "target-only", "pooled") and name not in unadapted:
        return "no answer of the target may be learnt from, or too few can be"
    return ""


def _way(name: str, material: Material, wish: Wish) -> Way | None:
    """None where the pretrained classifier cannot answer."""
    about, moves = about_of(name), is_method(name) and method(name).moves_weights
    if name == NO_TRANSFER:
        plain = _NoTransfer(material)
        return Way(name, about, False, False, False, plain.measure, plain.is_kept)
    if name == DIRECT:
        answers = _direct(material)
        if answers is None:
            return None
        return Way(name, about, False, True, False, lambda _, test: _unfitted(answers, test), lambda *_: True)
    plan = material.plan._replace(method=name, options=wish.options_of(name))
    if method(name).needs_source and material.source is not None:
        drawing = _Drawing(name, material, plan)
        return Way(name, about, moves, name != "target-only" or material.backbone is not None, True, *drawing.both)
    candidate = TaskCandidate(material.rows, material.backbone, plan, material.how)
    transfers = name != SCRATCH and material.backbone is not None
    return Way(name, about, moves, transfers, False, candidate.measured, candidate.is_kept)


def _direct(material: Material) -> Answers | None:
    """Of every row; None where the classifier does not know the classes."""
    direct = direct_answers(material.rows, material.backbone, *material.how)
    if direct is None:
        return None
    costs = material.plan.aim(material.rows.task.kind, material.rows.task.classes).costs
    return direct if costs is None else Decided(direct, decide(direct, -costs))


def _unfitted(answers: Answers, test: Array) -> Measured:
    """Answers for which nothing is fitted."""
    return Measured(taken(answers, test), FitCost(0.0, 0.0, 0), False)


class _NoTransfer:
    """The sound model that reuses nothing, with its cost."""

    def __init__(self, material: Material) -> None:
        self._rows, self._plan, self._cache = material.rows, material.plan, answer_cache(*material.how)
        self._model = Untransferred(material.plan, AnswerCache(None, material.how[1].say))

    def measure(self, train: Array, test: Array) -> Measured:
        rows = self._rows
        return measured(
            self._entry(train, test), lambda: Outcome(self._model.answer(rows.take(train), rows.take(test)))
        )

    def is_kept(self, train: Array, test: Array) -> bool:
        return self._entry(train, test).read() is not None

    def _entry(self, train: Array, test: Array) -> Entry:
        parts = (*fitted_by(self._plan, self._rows.take(train)), *content(self._rows.take(test)))
        return self._cache.entry(f"{NO_TRANSFER} and its cost", REVISION, parts)


class _Drawing:
    """A method that draws on a source."""

    def __init__(self, name: str, material: Material, plan: Plan) -> None:
        if material.source is None:
            raise ValueError(f"method {name!r} draws on a source task, and there is none")
        tasks, fitter = material.source
        if plan.options:
            fitter = StrategyFitter(tasks, fitter.backbone, plan, fitter.how, labels=fitter.labels)
        self._candidate = SourceCandidate(name, tasks, fitter)
        named = fitter.backbone is not None and is_table_prior(fitter.backbone.name)
        self._cache = AnswerCache(None, material.how[1].say) if named else answer_cache(*material.how)
        self.both = (self.measure, self.is_kept)

    def measure(self, train: Array, test: Array) -> Measured:
        return measured(self._entry(train, test), lambda: self._outcome(train, test))

    def is_kept(self, train: Array, test: Array) -> bool:
        return self._entry(train, test).read() is not None

    def _outcome(self, train: Array, test: Array) -> Outcome:
        fitted = self._candidate.fit(train)
        answers = self._candidate.answer(fitted, test)
        return Outcome(answers, learnt_by(fitted.head), steps_of(fitted.head))

    def _entry(self, train: Array, test: Array) -> Entry:
        candidate = self._candidate
        fitter, backbone = candidate.fitter, candidate.fitter.backbone
        target = fitter.seen(train)
        if not fitter.labels:
            target = replace(target, task=replace(target.task, targets=np.full(len(target), -1)))
        network = () if backbone is None else seen_by(candidate.rows, backbone, fitter.how[0])
        both = (*fitted_by(candidate.plan, fitter.source), *fitted_by(candidate.plan, target), fitter.labels)
        parts = (*both, *content(candidate.rows.take(test)), *network, torch.get_num_threads())
        return self._cache.entry(f"{candidate.name} beside a source", REVISION, parts)
