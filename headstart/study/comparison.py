"""A method against its contenders: all learn from the same rows, and answer the same rows that none of them saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from headstart.artefact import Model
from headstart.evidence.assess import Gain
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.facts import Instead
from headstart.evidence.held_out import HeldOut
from headstart.evidence.steps import Cost
from headstart.features.feature_set import FeatureSet
from headstart.features.workers import each, workers
from headstart.methods.uncertainty import Calibration
from headstart.study.examples import examples_of
from headstart.study.resampling import Trial, Trials
from headstart.study.stopwatch import Stopwatch, timed
from headstart.study.uncertainty import Kept, assessed
from headstart.tasks.goal import Answers, Goal
from headstart.tasks.task import Array
from headstart.uncertainty.out_of_distribution import Placed

__all__ = ["Candidate", "Comparison", "Contender", "Plain", "Results", "Told", "held_out_of"]

Contender = Callable[[Any, Array, Array], Answers]
"""What the candidate fitted in this trial, rows to learn from and rows to answer -> the answers to these."""


class Candidate(Protocol):
    """A method on a task, with or without a source.

    name    of the method that was asked for
    rows    the labelled rows of the task: those to learn from and those to be tested on
    seed    of everything that is drawn
    stage   under which name the seconds of its fits are reported
    goal    what models are to be good at; None: the headline of the kind
    """

    name: str
    rows: FeatureSet
    seed: int
    stage: str
    goal: Goal | None

    def fit(self, rows: Array) -> Any:
        """What is learnt from rows of these numbers."""

    def answer(self, fitted: Any, rows: Array) -> Answers:
        """Its answers to rows of these numbers: (N, C) probabilities, or (N,) values."""

    def model(self, fitted: Any) -> Model:
        """It as a model to keep."""

    def calibration(self, fitted: Any, rows: Array) -> Calibration | None:
        """What the fit to rows of these numbers says of them out of fold; None where it makes no such answers."""

    def placed(self, fitted: Any) -> Placed | None:
        """Where all rows lie; None where features have no distances, or would have to be calculated anew."""

    def observe(self, fitted: Any, test: Array, answers: Mapping[str, Answers]) -> Any:
        """What the evidence will need of a trial, beside the answers; small, since all trials are kept."""

    def complete(self, evidence: Evidence, fitted: Any, results: Results, trials: Trials) -> Evidence:
        """The evidence with what is to be said of the model that is kept, which is one of this candidate's."""

    def compare(self, evidence: Evidence, results: Results, trials: Trials) -> Evidence:
        """The evidence with what the whole comparison shows, whoever is kept."""


class Plain(Protocol):
    """A model that reuses nothing.

    name        under which it is a contender
    candidate   it, to be fitted
    """

    @property
    def name(self) -> str: ...

    @property
    def candidate(self) -> Candidate: ...

    def against(self, gains: Mapping[str, Gain], fitted: Any, rows: Array) -> str:
        """Why it is kept in the place of what was fitted to these rows, in words; "" where it is not.

        gains   of that on the rows that were tested, by name over whom
        """


class Results(NamedTuple):
    """Of all trials.

    answers   of each contender and, last, of the candidate: (R, T, ...) with one layer a repeat
    observed  what the candidate observed, trial by trial
    costs     seconds of one fit, by name
    fitted    what the candidate fitted in the last trial
    """

    answers: dict[str, Answers]
    observed: list[Any]
    costs: dict[str, Cost]
    fitted: Any

    def others(self, name: str) -> dict[str, Answers]:
        """The answers of all but the one of this name."""
        return {other: answers for other, answers in self.answers.items() if other != name}


class Told(NamedTuple):
    """Of a trial: the answers by name, what the candidate observed, seconds of each fit and of each stage, and what
    contenders wrote down."""

    answers: dict[str, Answers]
    observed: Any
    seconds: dict[str, float]
    stages: dict[str, float]
    written: dict[str, list[Any]] = {}  # noqa: RUF012 - nobody adds to it


@dataclass(frozen=True)
class Comparison:
    """A candidate, its contenders by name, and the trials.

    fallbacks   candidates that are contenders too: the best of them is kept unless the candidate is shown to be better
    plain       the one without transfer, which is kept where it is shown to be better; None: it is not to be kept
    ledgers     what contenders write down of each trial beside their answers, by name
    """

    candidate: Candidate
    contenders: Mapping[str, Contender]
    trials: Trials
    watch: Stopwatch
    fallbacks: Mapping[str, Candidate] = field(default_factory=dict)
    plain: Plain | None = None
    ledgers: Mapping[str, list[Any]] = field(default_factory=dict)

    def run(self) -> tuple[Model, Evidence]:
        """The model that is kept, and what held-out rows say of it; it is the one that was tested, if there was a
        single split."""
        return self.concluded(*self.tried())

    def tried(self, only: Sequence[Trial] | None = None) -> tuple[list[Told], Any]:
        """What all trials told, or those given, and what the candidate fitted in the last.

        Where there are workers, the last is done here, so that what all of them need is computed once, and they do the
        others.
        """
        candidate, name = self.candidate, self.candidate.name
        trials = self.trials.trials if only is None else only
        elsewhere = () if workers() is None else trials[:-1]
        done, fitted = [], None
        for trial in trials[len(elsewhere) :]:
            fitted, watch = None, Stopwatch()  # one at a time: it may hold the features of both tasks
            seconds = dict.fromkeys((*self.contenders, name), 0.0)
            with watch(candidate.stage), timed(seconds, name):
                fitted = candidate.fit(trial.train)
                latest: dict[str, Answers] = {name: candidate.answer(fitted, trial.test)}
            with watch("baselines"):
                for other, contender in self.contenders.items():
                    with timed(seconds, other):
                        latest[other] = contender(fitted, trial.train, trial.test)
                observed = candidate.observe(fitted, trial.test, latest)
            done.append(Told(latest, observed, seconds, watch.named))
        if elsewhere:
            done = [*each(self._trial, elsewhere, "trials"), *done]
        return done, fitted

    def concluded(self, tried: Sequence[Told], fitted: Any) -> tuple[Model, Evidence]:
        """The same as `run`, of what was tried."""
        candidate, name = self.candidate, self.candidate.name
        results = self._results(tried, fitted)
        evidence, fallback = self._judged(results)
        winner = candidate if fallback is None else self.fallbacks[fallback]
        kept = name if fallback is None else fallback
        final = fitted
        rows = self.trials.trials[0].train if self.trials.held_out else np.arange(len(winner.rows))
        if not self.trials.held_out or winner is not candidate:
            with self.watch(winner.stage):
                final = winner.fit(rows)
        why = self._against(evidence, final, rows)
        if self.plain is not None and why:
            evidence = self._without(self.plain.name, winner.name, results, why)
            winner, kept = self.plain.candidate, self.plain.name
            with self.watch(winner.stage):
                final = winner.fit(rows)
        evidence = winner.complete(evidence, final, results, self.trials)
        evidence = candidate.compare(evidence, results, self.trials)
        if fallback is not None:
            evidence = replace(evidence, notes=(*evidence.notes, _fallen_back(name, fallback)))
        model = winner.model(final)
        with self.watch("evidence"):
            tested, told = held_out_of(candidate.rows, candidate.goal, self.trials), results.answers[kept]
            examples = examples_of(candidate.rows, tested, self.trials, told, model)
            calibration = winner.calibration(final, rows) if self.trials.held_out else None
            uncertainty, facts = assessed(Kept(rows, told, tested, calibration, winner.placed(final)), self.trials)
        evidence = replace(evidence, examples=examples, uncertainty=facts, seconds=self.watch.seconds())
        return replace(model, uncertainty=uncertainty), evidence

    def _trial(self, trial: Trial) -> Told:
        """One of several, of which nothing is kept but what it told."""
        before = {name: len(ledger) for name, ledger in self.ledgers.items()}
        (told,), _ = self.tried((trial,))
        return told._replace(written={name: self.ledgers[name][count:] for name, count in before.items()})

    def _against(self, evidence: Evidence, fitted: Any, rows: Array) -> str:
        """Why the model without transfer is kept in the place of what was fitted to these rows; "" where it is not."""
        if self.plain is None:
            return ""
        with self.watch("baselines"):
            return self.plain.against(evidence.assessment.gains, fitted, rows)

    def _without(self, plain: str, name: str, results: Results, why: str) -> Evidence:
        """The evidence of the model without transfer, which is kept in the place of another."""
        with self.watch("evidence"):
            evidence = self._evidence(plain, results)
        assessment = evidence.assessment.without_transfer(name)
        notes = (*evidence.notes, f"Kept without transfer: {why} (--keep-transfer keeps {name}).")
        facts = replace(evidence.facts, instead=Instead(name, why))
        return replace(evidence, assessment=assessment, facts=facts, notes=notes)

    def _results(self, told: Sequence[Told], fitted: Any) -> Results:
        """The answers of all trials side by side, the candidate's last."""
        for trial in told:
            for stage, spent in trial.stages.items():
                self.watch.add(stage, spent)
            for name, more in trial.written.items():
                self.ledgers[name].extend(more)
        names = (*self.contenders, self.candidate.name)
        return Results(
            {name: self.trials.joined([trial.answers[name] for trial in told]) for name in names},
            [trial.observed for trial in told],
            {name: Cost(sum(trial.seconds[name] for trial in told) / len(told)) for name in names},
            fitted,
        )

    def _judged(self, results: Results) -> tuple[Evidence, str | None]:
        """The evidence of the candidate, or of the fallback that is kept in its place, and the name of that one."""
        with self.watch("evidence"):
            evidence = self._evidence(self.candidate.name, results)
        fallback = self._fallback(evidence)
        if fallback is not None:
            with self.watch("evidence"):
                evidence = self._evidence(fallback, results)
        return evidence, fallback

    def _fallback(self, evidence: Evidence) -> str | None:
        """The best of the fallbacks; None where there is none, or the candidate is better beyond chance."""
        gains = {name: evidence.assessment.gains[name] for name in self.fallbacks}
        best = min(gains, key=lambda name: gains[name].value, default=None)
        return None if best is None or gains[best].low > 0 else best

    def _evidence(self, name: str, results: Results) -> Evidence:
        candidate = self.candidate
        held_out, seed = held_out_of(candidate.rows, candidate.goal, self.trials), candidate.seed
        evidence = of_answers(held_out, results.answers[name], results.others(name), seed=seed)
        return replace(evidence, protocol=self.trials.words)


def held_out_of(rows: FeatureSet, goal: Goal | None, trials: Trials | None = None) -> HeldOut:
    """The true answers of the rows that are tested, of all without trials, which of them belong together, and what
    models are to be good at."""
    tested = rows if trials is None else rows.take(trials.tested)
    folds = 1 if trials is None else trials.folds
    return HeldOut.of(tested.task)._replace(group=tested.blocks, goal=goal, folds=folds)


def _fallen_back(name: str, other: str) -> str:
    return (
        f"The held-out rows do not show {name} to be better than {other}, so {other} is kept (--keep-tuned keeps "
        f"{name}). They were looked at once more for this choice."
    )
