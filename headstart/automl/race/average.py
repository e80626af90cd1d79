"""A weighted average of several settings as one model, where it is shown to be better than the best of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import NamedTuple

import numpy as np

from headstart.artefact import Model
from headstart.artefact.model import Member
from headstart.automl.race.ensemble import greedy, weighted
from headstart.automl.race.race import Race
from headstart.automl.race.ready import Ready
from headstart.automl.race.scoring import RowLosses
from headstart.automl.race.standing import Tried, predictions_of
from headstart.evidence.evidence import Evidence
from headstart.heads.decision import decide, utility_of
from headstart.heads.prior import shares_of
from headstart.listener import Listener
from headstart.methods.method import Fitted
from headstart.methods.model import learnt_by
from headstart.methods.uncertainty import Calibration
from headstart.study.comparison import Results
from headstart.study.notes import model_of_task, notes_of_task
from headstart.study.resampling import Trials
from headstart.tasks.goal import Answers, Decided
from headstart.tasks.task import Array
from headstart.uncertainty.out_of_distribution import Placed

__all__ = ["Average", "AverageCandidate", "average_of", "on_shared_rows"]


class Average(NamedTuple):
    """settings   that are averaged; weights by name, the largest first
    losses     of the average on the rows of all folds
    utility    by which answers are decided, see `heads.decision`
    """

    settings: tuple[Tried, ...]
    weights: dict[str, float]
    losses: RowLosses
    utility: Array | None

    @property
    def name(self) -> str:
        """In words."""
        return f"an average of {len(self.settings)}"


def average_of(race: Race, ready: Ready, best: Tried) -> Average | None:
    """The average, where it is better than the best setting beyond a standard error and there is time to fit it."""
    settings = {
        setting.name: setting for setting in race.tried if setting.arm.eligible and len(setting.answers) == race.folds
    }
    if len(settings) < 2:
        return None
    judge, everything = race.judge, np.arange(len(race.judge.targets))
    predictions = {name: predictions_of(setting, ready.rows) for name, setting in settings.items()}
    kind, classes = judge.kind, judge.classes
    weights = greedy(predictions, lambda mixed: judge.mean(judge.losses(mixed, everything)))
    mixed = weighted(predictions, weights)
    utility = None
    if kind.exclusive:
        utility = utility_of(judge.aim, mixed, shares_of(judge.targets, np.ones(len(everything)), classes))
    losses = judge.losses(_decided(mixed, utility), everything)
    seconds = [ready.closing(settings[name].arm, settings[name].fold_seconds) for name in weights]
    if len(weights) < 2 or sum(seconds) > race.budget.left or not judge.apart(losses, best.losses).better:
        return None
    weights = dict(sorted(weights.items(), key=lambda item: -item[1]))
    return Average(tuple(settings[name] for name in weights), weights, losses, utility)


def _decided(mixed: Array, utility: Array | None) -> Answers:
    if utility is None:
        return mixed
    return Decided(mixed, decide(mixed, utility))


class AverageCandidate:
    """The average as a candidate of a comparison."""

    stage = "head"

    def __init__(self, ready: Ready, average: Average, listener: Listener | None = None) -> None:
        heard = listener or ready.listener
        self.average = average
        self.members = [ready.candidate(setting.arm, setting.options, heard) for setting in average.settings]
        self.weights = list(average.weights.values())
        first = self.members[0]
        self.name, self.rows, self.seed, self.goal = "average", first.rows, first.seed, first.goal

    def fit(self, rows: Array) -> list[Fitted]:
        return [member.fit(rows) for member in self.members]

    def answer(self, fitted: list[Fitted], rows: Array) -> Answers:
        parts = [_plain(member.answer(part, rows)) for member, part in zip(self.members, fitted, strict=True)]
        mixed = np.asarray(sum(weight * part for weight, part in zip(self.weights, parts, strict=True)))
        return _decided(mixed, self.average.utility)

    def model(self, fitted: list[Fitted]) -> Model:
        models = [member.model(part) for member, part in zip(self.members, fitted, strict=True)]
        first = models[0]
        beside = tuple(Member(weight, model) for weight, model in zip(self.weights[1:], models[1:], strict=True))
        return replace(first, head=first.head.decided_by(self.average.utility), beside=beside)

    def calibration(self, fitted: list[Fitted], rows: Array) -> Calibration | None:
        parts = [member.calibration(part, rows) for member, part in zip(self.members, fitted, strict=True)]
        made = [part for part in parts if part is not None]
        if len(made) < len(parts):
            return None
        predictions, targets = on_shared_rows(made)
        mixed = np.asarray(sum(weight * part for weight, part in zip(self.weights, predictions, strict=True)))
        decide_by = fitted[0].head.decided_by(self.average.utility).decide
        return Calibration(mixed, decide_by(mixed), targets)

    def placed(self, fitted: list[Fitted]) -> Placed | None:
        return self.members[0].placed(fitted[0])

    def observe(self, fitted: list[Fitted], test: Array, answers: Mapping[str, Answers]) -> int:
        return sum(learnt_by(part.head) for part in fitted)

    def complete(self, evidence: Evidence, fitted: list[Fitted], results: Results, trials: Trials) -> Evidence:
        model, first = self.model(fitted), self.members[0]
        facts = replace(evidence.facts, model=model_of_task(first.rows, first.backbone, model))
        notes = (*evidence.notes, *notes_of_task(first.rows, first.backbone, model, trials))
        return replace(evidence, n_train=len(trials.trials[0].train), facts=facts, notes=notes)

    def compare(self, evidence: Evidence, results: Results, trials: Trials) -> Evidence:
        return evidence


def on_shared_rows(parts: Sequence[Calibration]) -> tuple[list[Array], Array]:
    """Of each its predictions for the rows that all of them answered, in the order of their numbers, and the targets of
    these: a head has answers to all rows, out of fold, and a network to those that its training held out."""
    numbers = [np.arange(len(part.targets)) if part.rows is None else part.rows for part in parts]
    shared = reduce(np.intersect1d, numbers)
    places = [np.argsort(own)[np.searchsorted(np.sort(own), shared)] for own in numbers]
    return [part.predictions[place] for part, place in zip(parts, places, strict=True)], parts[0].targets[places[0]]


def _plain(answers: Answers) -> Array:
    return answers.predictions if isinstance(answers, Decided) else answers
