"""The candidates of a comparison: a method on one task, or one that draws on a source task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch

from headstart.adaptation.choice import ChosenStrategy
from headstart.adaptation.guard import best_plain
from headstart.adaptation.strategies import UNADAPTED
from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.backbones.tables import is_table_prior
from headstart.evidence.adaptation import adaptation_of
from headstart.evidence.assess import Adaptation
from headstart.evidence.evidence import Evidence
from headstart.evidence.steps import Cost, steps
from headstart.features.cache.answers import AnswerCache, Entry
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look_again
from headstart.listener import Listener
from headstart.methods.method import Data, Fitted, facts_of
from headstart.methods.model import learnt_by, model_of, steps_of
from headstart.methods.plan import Plan
from headstart.methods.probe import features_of
from headstart.methods.table import row_of
from headstart.methods.task_pair import StrategyFitter, TaskPair
from headstart.methods.uncertainty import Calibration, calibration_of, placed
from headstart.study.comparison import Results, held_out_of
from headstart.study.content import REVISION, content, fitted_by, seen_by
from headstart.study.measured import Clock, FitCost, Measured, Outcome, store, stored_in
from headstart.study.notes import left_out, model_of_pair, model_of_task, notes_of_pair, notes_of_task
from headstart.study.pretrained import RANDOM
from headstart.study.resampling import Trials
from headstart.study.source_contenders import untold
from headstart.tasks.goal import Answers
from headstart.tasks.task import Array
from headstart.uncertainty.out_of_distribution import Placed

__all__ = ["ScratchControl", "SourceCandidate", "TaskCandidate", "unadapted"]

_CHEAPER = ("no-transfer", "direct", "probe", "no-teacher")


class TaskCandidate:
    """A method on the rows of one task.

    results   of each fit as a contender, with the cost of when it was calculated
    beside    candidates that are its contenders too, by name
    """

    def __init__(
        self, rows: FeatureSet, backbone: Backbone | None, plan: Plan, how: tuple[Extraction, Listener]
    ) -> None:
        self.name, self.rows, self.seed = plan.method, rows, plan.seed
        self.backbone, self.plan, self.how, self.row = backbone, plan, how, row_of(plan)
        self.stage = "tuning" if self.row.moves_weights else "head"
        self.goal = plan.goal
        self.results: list[Measured] = []
        self.beside: dict[str, TaskCandidate] = {}

    def fit(self, rows: Array) -> Fitted:
        return self.row.fit(self.plan, self._data(rows))

    def answer(self, fitted: Fitted, rows: Array) -> Answers:
        return fitted.head.answer(features_of(self._through(fitted, self.rows.take(rows)), fitted.encoder))

    def model(self, fitted: Fitted) -> Model:
        task = self.rows.task
        return model_of(fitted, self.plan, self.rows, classes=task.classes, columns=task.columns)

    def contend(self, fitted: Any, train: Array, test: Array) -> Answers:
        """As a contender of another candidate; from the cache, if it was asked before."""
        data = self._beside(fitted, train)
        entry = self._entry(data, test)
        result = stored_in(entry)
        if result is None:
            with Clock() as clock:
                contender = self.row.fit(self.plan, data)
                answers = self.answer(contender, test)
            result = clock.measured(Outcome(answers, learnt_by(contender.head), steps_of(contender.head)))
            store(result, entry)
        self.results.append(result)
        return result.answers

    def measured(self, train: Array, test: Array) -> Measured:
        """What it answers to test rows after learning from others, and what that cost; from the cache as well."""
        self.contend(None, train, test)
        return self.results.pop()

    def is_kept(self, train: Array, test: Array) -> bool:
        """Whether the cache has that."""
        return self._entry(self._data(train), test).read() is not None

    def out_of_fold(self, rows: FeatureSet) -> Array | None:
        """What it says of those of the rows that count, each held out, where its heads are chosen by that."""
        return self.row.fit(self.plan, Data(rows, self.backbone, self.how)).out_of_fold

    def calibration(self, fitted: Fitted, rows: Array) -> Calibration | None:
        return calibration_of(fitted, self.rows.take(rows))

    def placed(self, fitted: Fitted) -> Placed | None:
        return None if _moved(self.backbone, fitted) else placed(fitted, self.rows)

    def observe(self, fitted: Fitted, test: Array, answers: Mapping[str, Answers]) -> int:
        return learnt_by(fitted.head)

    def complete(self, evidence: Evidence, fitted: Fitted, results: Results, trials: Trials) -> Evidence:
        model = self.model(fitted)
        return replace(
            evidence,
            n_train=round(np.mean([len(trial.train) for trial in trials.trials])),
            facts=replace(
                evidence.facts,
                model=model_of_task(self.rows, self.backbone, model),
                left_out=left_out(self.plan, self.backbone),
            ),
            notes=(*evidence.notes, *notes_of_task(self.rows, self.backbone, model, trials)),
        )

    def compare(self, evidence: Evidence, results: Results, trials: Trials) -> Evidence:
        """What each dearer step bought, where weights move."""
        if not self.row.moves_weights:
            return evidence
        of_others = {
            name: FitCost.mean([result.cost for result in candidate.results]) for name, candidate in self.beside.items()
        }
        costs = results.costs | {name: Cost(cost.seconds, cost.parameters) for name, cost in of_others.items()}
        costs[self.name] = costs[self.name]._replace(parameters=max(results.observed))
        order = [name for name in (*_CHEAPER, self.name) if name in results.answers]
        pairs = [*zip(order, ["", *order[:-1]], strict=True), (RANDOM, self.name)]
        held_out = held_out_of(self.rows, self.goal, trials)
        bought = steps(held_out, results.answers, costs, pairs, self.seed)
        return replace(evidence, facts=replace(evidence.facts, steps=bought))

    def _entry(self, data: Data, test: Array) -> Entry:
        """Where the answers to the test rows of what is learnt from the data are kept."""
        extraction, listener = self.how
        network = () if self.backbone is None else seen_by(self.rows, self.backbone, extraction)
        trained = (data.steps, torch.get_num_threads()) if self.row.moves_weights else ()
        parts = (*fitted_by(self.plan, data.rows), *content(self.rows.take(test)), *network, *trained)
        named = self.backbone is not None and is_table_prior(self.backbone.name)  # weights that no fingerprint tells of
        cached = AnswerCache(None if named else extraction.cache, listener.say)
        return cached.entry(self.name, REVISION, parts)

    def _beside(self, fitted: Any, rows: Array) -> Data:
        """What it learns from as a contender of a candidate that was fitted."""
        return self._data(rows)

    def _data(self, rows: Array) -> Data:
        return Data(self.rows.take(rows), self.backbone, self.how)

    def _through(self, fitted: Fitted, feature_set: FeatureSet) -> FeatureSet:
        """The same rows through the backbone that was fitted, where it has moved."""
        moved = fitted.backbone
        return (
            feature_set
            if moved is None or not _moved(self.backbone, fitted)
            else look_again(feature_set, moved, self.how[0])
        )


class ScratchControl(TaskCandidate):
    """The network from random weights beside a method that moves weights.

    It is trained once in each trial, on all training rows, for as many steps as the method took on those that it did
    not hold out: so it costs no more than that, see `docs/decisions/0016-the-control-from-random-weights.md`.
    """

    def _beside(self, fitted: Any, rows: Array) -> Data:
        return self._data(rows)._replace(steps=fitted.head.facts.steps)


class Observed(NamedTuple):
    """Of a trial: the strategy taken, the best that does not adapt (None where rows could not say), and its answers."""

    chosen: ChosenStrategy
    best: ChosenStrategy | None
    unadapted: Answers


class SourceCandidate:
    """A method that draws on a source task; rows are those of the target whose answers are known."""

    stage = "head"

    def __init__(self, name: str, tasks: TaskPair, fitter: StrategyFitter) -> None:
        self.name, self.tasks, self.fitter, self.seed = name, tasks, fitter, fitter.plan.seed
        self.plan = fitter.plan_of(name)
        self.row = row_of(self.plan)
        self.rows, self.goal = tasks.target.take(np.arange(tasks.labelled)), self.plan.goal

    def fit(self, rows: Array) -> Fitted:
        target = self.fitter.seen(rows)
        return self.row.fit(self.plan, *self.fitter.given(target, self.fitter.pair(target)))

    def answer(self, fitted: Fitted, rows: Array) -> Answers:
        return self.fitter.answers(fitted, rows)

    def model(self, fitted: Fitted) -> Model:
        return self.fitter.model(fitted, self.tasks.source.task.columns)

    def contend(self, fitted: Fitted, train: Array, test: Array) -> Answers:
        """As a contender of another candidate, on the features of both tasks that it was fitted with."""
        arguments = self.fitter.given(self.fitter.seen(train), facts_of(fitted).pair)
        return self.fitter.answers(self.row.fit(self.plan, *arguments), test)

    def calibration(self, fitted: Fitted, rows: Array) -> Calibration | None:
        return None

    def placed(self, fitted: Fitted) -> Placed | None:
        return None if _moved(self.fitter.backbone, fitted) else placed(fitted, self.rows)

    def observe(self, fitted: Fitted, test: Array, answers: Mapping[str, Answers]) -> Observed:
        names = [name for name in UNADAPTED if name in answers and name != self.name]
        chosen, pair = facts_of(fitted).chosen, facts_of(fitted).pair
        best = None if self.name in UNADAPTED else best_plain(pair, names, chosen.base)
        if best is None:
            return Observed(chosen, None, answers[self.name])
        if best.base == "linear":
            return Observed(chosen, best, answers[best.name])
        return Observed(chosen, best, self.fitter.answers(self.fitter.apply(best, pair), test))

    def complete(self, evidence: Evidence, fitted: Fitted, results: Results, trials: Trials) -> Evidence:
        evidence = replace(
            evidence,
            n_train=self._learnt_from(trials),
            adaptation=unadapted(fitted, self.fitter.plan.method) or self._adaptation(evidence, results, trials),
        )
        return replace(
            evidence,
            facts=replace(
                evidence.facts,
                model=model_of_pair(self.tasks, self.fitter, fitted),
                left_out=() if self.row.moves_weights else left_out(self.fitter.plan, self.fitter.backbone),
            ),
            notes=(
                *evidence.notes,
                *notes_of_pair(self.tasks, self.fitter, fitted, evidence, [trial.chosen for trial in results.observed]),
            ),
        )

    def compare(self, evidence: Evidence, results: Results, trials: Trials) -> Evidence:
        """Why nobody stands there who does not transfer, where that is so."""
        return replace(evidence, facts=replace(evidence.facts, transfer_untold=untold(self.tasks, self.fitter, trials)))

    def _adaptation(self, evidence: Evidence, results: Results, trials: Trials) -> Adaptation:
        observed: list[Observed] = results.observed
        gains = evidence.assessment.gains
        return adaptation_of(
            held_out_of(self.rows, self.goal, trials),
            results.answers[self.name],
            trials.joined([trial.unadapted for trial in observed]),
            [None if trial.best is None else trial.best.words for trial in observed],
            {name: gains[name] for name in UNADAPTED if name in gains},
            seed=self.seed,
        )

    def _learnt_from(self, trials: Trials) -> int:
        """Of which the answers were learnt from: target rows of a trial, or where there are none, source rows."""
        target = np.mean([len(trial.train) for trial in trials.trials]) if self.fitter.labels else 0
        return round(float(target)) or len(self.fitter.source)


def _moved(backbone: Backbone | None, fitted: Fitted) -> bool:
    """Whether weights of the backbone are others after the fit."""
    after = fitted.backbone
    return backbone is not None and after is not None and after.fingerprint != backbone.fingerprint


def unadapted(fitted: Fitted, method: str) -> Adaptation | None:
    """Why there is nothing to judge; None where there is."""
    facts = facts_of(fitted)
    if facts.adapted:
        return None
    words = facts.chosen.words
    why = f"{words} does not adapt" if method == facts.chosen.name else f"{method} took {words}, which does not adapt"
    return Adaptation(None, None, why)
