"""Tasks learnt together against each alone: all learn from the same rows, and answer the same others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.errors import DataError
from headstart.evidence.assess import NO_TRANSFER
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.examples import Examples
from headstart.evidence.multi_task import MultiTaskEvidence
from headstart.evidence.sharing import ALONE, Learnt, Sharing, TaskAnswers, mean_gain
from headstart.evidence.verdict import verdict
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look_again
from headstart.listener import Listener
from headstart.methods.method import Data, Fitted
from headstart.methods.model import model_of
from headstart.methods.multi_task import alone, fit_tasks, shares
from headstart.methods.plan import Plan
from headstart.methods.probe import features_of
from headstart.methods.table import method
from headstart.multitask.parts import part_of, rows_of
from headstart.study.candidates import TaskCandidate
from headstart.study.comparison import held_out_of
from headstart.study.contenders import answer_cache, majority_answers
from headstart.study.examples import examples_of
from headstart.study.notes import model_of_task, notes_of_task
from headstart.study.resampling import REPEATS, Trials, plan_trials
from headstart.study.stopwatch import Stopwatch
from headstart.study.untransferred import Untransferred
from headstart.tasks.goal import Answers
from headstart.tasks.side_by_side import Part
from headstart.tasks.task import Array, Columns

__all__ = ["MultiTaskComparison"]

TOGETHER, PROBE = "together", "probe"


@dataclass(frozen=True)
class MultiTaskComparison:
    """A method on several targets, whose kind is several side by side.

    columns  of each target, by name; None where there was no table
    auto     a target that is worse together is learnt alone
    """

    rows: FeatureSet
    backbone: Backbone | None
    plan: Plan
    how: tuple[Extraction, Listener]
    watch: Stopwatch
    columns: dict[str, Columns | None]
    auto: bool

    def run(self) -> tuple[dict[str, Model], MultiTaskEvidence]:
        """The model of each target that is kept, and what held-out rows say."""
        trials, tasks = self._trials, self._tasks
        self.how[1].say(f"fitting: {self.plan.method}, {len(tasks)} targets, tested by {trials.words}")
        together: list[list[Answers]] = [[] for _ in tasks]
        last: tuple[Fitted, ...] = ()
        for trial in trials.trials:
            with self.watch("head"):
                last = fit_tasks(self.plan, self._data(trial.train))
                answers = self._answers(last, trial.test)
            for task_answers, latest in zip(together, answers, strict=True):
                task_answers.append(latest)
        results = [self._results(task, task_answers) for task, task_answers in zip(tasks, together, strict=True)]
        sharing = {task.part.name: self._judged(task, result) for task, result in zip(tasks, results, strict=True)}
        overall = self._overall(results) if shares(self.plan.method) else Sharing(None, None)
        fits = last if trials.held_out else ()
        models, evidence = self._kept(results, sharing, fits)
        notes = tuple(self._notes(sharing))
        return models, MultiTaskEvidence(
            method="auto" if self.auto else self.plan.method,
            tasks=evidence,
            sharing=sharing,
            overall=overall,
            notes=notes,
            seconds=self.watch.seconds(),
        )

    @cached_property
    def _trials(self) -> Trials:
        tuned = method(self.plan.method).moves_weights
        return plan_trials(self.rows, self.plan.seed, repeats=1 if tuned else REPEATS)

    @cached_property
    def _tasks(self) -> list[_Alone]:
        return [_Alone(self, part) for part in self.rows.task.kind.parts]

    def _data(self, rows: Array) -> Data:
        return Data(self.rows.take(rows), self.backbone, self.how)

    def _answers(self, fits: tuple[Fitted, ...], rows: Array) -> list[Answers]:
        """Of each target to those of the rows that answer it, through the one backbone that all stand on."""
        moved, feature_set = fits[0].backbone, self.rows.take(rows)
        if self.backbone is not None and moved is not None and moved.fingerprint != self.backbone.fingerprint:
            feature_set = look_again(feature_set, moved, self.how[0])
        return [
            fitted.head.answer(features_of(feature_set.take(rows_of(feature_set.task, part)), fitted.encoder))
            for part, fitted in zip(feature_set.task.kind.parts, fits, strict=True)
        ]

    def _results(self, task: _Alone, together: list[Answers]) -> _Results:
        with self.watch("baselines"):
            answers = task.answers()
        tested = [
            trial_answers for trial_answers, trial in zip(together, task.all_trials, strict=True) if len(trial.test)
        ]
        return _Results(task, answers | {TOGETHER: task.trials.joined(tested)})

    def _judged(self, task: _Alone, results: _Results) -> Sharing:
        """What sharing gained over the same learner alone, and how the target is to be learnt."""
        if not shares(self.plan.method):
            return Sharing(None, None, "probe" if self.plan.method == PROBE else "alone")
        with self.watch("evidence"):
            judged = results.evidence(TOGETHER, self.plan.seed)
        gain = judged.assessment.gains[ALONE]
        return Sharing.of(gain, self._learnt(judged))

    def _learnt(self, judged: Evidence) -> Learnt:
        gains = {name: judged.assessment.gains[name].interval for name in (ALONE, PROBE)}
        if self.auto:
            return "probe" if "hurts" in {verdict(gain) for gain in gains.values()} else "together"
        moves = method(self.plan.method).moves_weights
        return "probe" if moves and not self.plan.keep_tuned and gains[PROBE].low <= 0 else "together"

    def _overall(self, results: list[_Results]) -> Sharing:
        """The mean over targets, on rows drawn once for all."""
        blocks = np.unique(self.rows.blocks, return_inverse=True)[1]
        tested = [
            TaskAnswers(result.held, blocks[result.task.tested], result.answers[TOGETHER], result.answers[ALONE])
            for result in results
        ]
        with self.watch("evidence"):
            return Sharing.of(mean_gain(tested, seed=self.plan.seed))

    def _kept(
        self, results: list[_Results], sharing: dict[str, Sharing], fits: tuple[Fitted, ...]
    ) -> tuple[dict[str, Model], dict[str, Evidence]]:
        """The model of each target, of all rows unless a single split was held out, and its evidence."""
        rows = self._trials.trials[0].train if self._trials.held_out else np.arange(len(self.rows))
        if not fits and any(
            target_sharing.learnt == TOGETHER or not shares(self.plan.method) for target_sharing in sharing.values()
        ):
            with self.watch("head"):
                fits = fit_tasks(self.plan, self._data(rows))
        models, evidence = {}, {}
        for place, result in enumerate(results):
            name, learnt = result.task.part.name, sharing[result.task.part.name].learnt
            if learnt == TOGETHER or not shares(self.plan.method):
                fitted, plan = fits[place], self.plan
            else:
                plan = self.plan.probe
                with self.watch("head"):
                    fitted = result.task.probe.fit(result.task.of(rows))
            model = model_of(
                fitted, plan, result.task.rows, classes=result.task.part.classes, columns=self.columns[name]
            )
            models[name] = model
            answered = TOGETHER if plan is self.plan else PROBE
            with self.watch("evidence"):
                target_evidence = result.evidence(answered, self.plan.seed)
                examples = result.examples(answered, model)
            evidence[name] = replace(self._complete(result.task, target_evidence, model), examples=examples)
        return models, evidence

    def _complete(self, task: _Alone, evidence: Evidence, model: Model) -> Evidence:
        notes = list(notes_of_task(task.rows, self.backbone, model, self._trials))
        task_notes = set(self.rows.task.notes)
        return replace(
            evidence,
            n_train=round(np.mean([len(trial.train) for trial in task.trials.trials])),
            protocol=self._trials.words,
            facts=replace(evidence.facts, model=model_of_task(task.rows, self.backbone, model)),
            notes=(*evidence.notes, *(note for note in notes if note not in task_notes)),
        )

    def _notes(self, sharing: dict[str, Sharing]) -> Iterator[str]:
        worse = [name for name, target_sharing in sharing.items() if target_sharing.verdict == "hurts"]
        parted = [
            name
            for name, target_sharing in sharing.items()
            if target_sharing.learnt == PROBE and shares(self.plan.method)
        ]
        if worse and not self.auto:
            yield f"Hurt by being learnt together: {', '.join(worse)}. --method auto learns those alone."
        if parted and self.auto:
            yield (
                f"Learnt alone, by the probe, since held-out rows show them to be worse together: {', '.join(parted)}. "
                "The rows were looked at once more for this choice."
            )
        elif parted:
            yield (
                f"Held-out rows do not show {self.plan.method} to be better than the probe for {', '.join(parted)}, "
                "which is kept for them (--keep-tuned keeps what was learnt together)."
            )
        yield from self.rows.task.notes


class _Alone:
    """One target by itself: its rows, its trials, and whom it is compared with.

    rows     those that answer it      tested   (T,) those that were tested, by their numbers among all rows
    """

    def __init__(self, comparison: MultiTaskComparison, part: Part) -> None:
        feature_set, plan, how = comparison.rows, comparison.plan, comparison.how
        self.part, self.numbers = part, rows_of(feature_set.task, part)
        self.rows = part_of(feature_set, part, self.numbers)
        self.all_trials = [
            trial._replace(train=self.of(trial.train), test=self.of(trial.test)) for trial in comparison._trials.trials
        ]
        self.trials = self._asked(comparison._trials.words)
        self.tested = self.numbers[self.trials.tested]
        self.plan = plan
        self.probe = TaskCandidate(self.rows, comparison.backbone, plan.probe, how)
        untransferred = Untransferred(plan, answer_cache(*how))
        self.others: dict[str, Callable[[Any, Array, Array], Answers]] = {
            "majority": lambda fitted, train, test: majority_answers(self.rows, plan, train, test),
            NO_TRANSFER: lambda fitted, train, test: untransferred.answer(self.rows.take(train), self.rows.take(test)),
            PROBE: self.probe.contend,
        }
        if shares(plan.method):
            self.others[ALONE] = TaskCandidate(self.rows, comparison.backbone, alone(plan), how).contend

    def of(self, rows: Array) -> Array:
        """The numbers, among the rows that answer this target, of those of all rows that do."""
        return np.flatnonzero(np.isin(self.numbers, rows))

    def answers(self) -> dict[str, Answers]:
        """Of everybody but those learnt together, (R, T, ...)."""
        return {
            name: self.trials.joined([other(None, trial.train, trial.test) for trial in self.trials.trials])
            for name, other in self.others.items()
        }

    def _asked(self, words: str) -> Trials:
        """The trials in which a row of this target is tested. DataError where there is none."""
        some = tuple(trial for trial in self.all_trials if len(trial.test))
        if not some or not all(len(trial.train) for trial in some):
            raise DataError(
                f"target {self.part.name!r} has {len(self.numbers)} answers, too few to learn from some and to be "
                "tested on others: leave it out, or add answers"
            )
        tested = np.unique(np.concatenate([trial.test for trial in some]))
        return Trials(some, tested, words)


class _Results:
    """The answers of all to the tested rows of one target."""

    def __init__(self, task: _Alone, answers: dict[str, Answers]) -> None:
        self.task, self.answers = task, answers
        self.held = held_out_of(task.rows, None, task.trials)

    def evidence(self, name: str, seed: int) -> Evidence:
        """Of the one of this name; the others are its baselines."""
        others = {other: answers for other, answers in self.answers.items() if other != name}
        return of_answers(self.held, self.answers[name], others, seed=seed)

    def examples(self, name: str, model: Model) -> Examples:
        """The rows that a report shows of the model that is kept, whose answers have this name."""
        return examples_of(self.task.rows, self.held, self.task.trials, self.answers[name], model)
