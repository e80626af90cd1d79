"""Why transfer helped: rows held out that only the transferred model gets right, and those that only the other does.

The other reuses nothing and learns from the same rows (`study.untransferred`). Of a model that was tested on a single
split it is the model itself that is asked about those rows again; else both are fitted anew, each row held out once.
Whether more rows are won than lost beyond chance is told by McNemar's exact test (1947).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest

from headstart.features.cache.answers import AnswerCache
from headstart.features.feature_set import FeatureSet
from headstart.listener import Listener
from headstart.methods.answers import answers_of
from headstart.methods.plan import Plan
from headstart.methods.table import method
from headstart.study.candidates import TaskCandidate
from headstart.study.resampling import Trials, plan_trials
from headstart.study.untransferred import Untransferred
from headstart.tasks.goal import Answers, Decided, Goal
from headstart.tasks.task import Array
from headstart.transfer import Transfer

__all__ = ["TransferGain", "transfer_gain"]


class TransferGain(NamedTuple):
    """won, lost   rows that only the transferred model gets right, and only the other: name, label, and what the other,
                or the transferred, model answers
    both, neither   how many rows both get right, and none of them
    p           of McNemar's exact test, two-sided
    words       how rows were held out
    """

    won: list[tuple[str, Any, Any]]
    lost: list[tuple[str, Any, Any]]
    both: int
    neither: int
    p: float
    words: str

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "won": [{"name": name, "label": label, "without_transfer": other} for name, label, other in self.won],
            "lost": [{"name": name, "label": label, "with_transfer": own} for name, label, own in self.lost],
            "both_right": self.both,
            "neither_right": self.neither,
            "p": self.p,
            "held_out": self.words,
        }

    def __str__(self) -> str:
        lines = [
            f"why transfer helped ({self.words}): {len(self.won):,} rows are right with transfer alone, "
            f"{len(self.lost):,} without it alone, {self.both:,} with both, {self.neither:,} with neither "
            f"(p = {self.p:.2g})"
        ]
        lines += [f"  {name}: {label}; without transfer {other}" for name, label, other in self.won[:8]]
        return "\n".join(lines)


def transfer_gain(model: Transfer, rows: FeatureSet, listener: Listener) -> TransferGain:
    """By all rows of the data that was fitted to and tested on. ValueError for a model of values or of many labels a
    row, for one that reuses nothing, and where weights moved and rows were not held out from them."""
    fitted = model.model_
    if not fitted.kind.exclusive:
        raise ValueError(f"a {fitted.kind} answer is not simply right or wrong: rows are told apart by classes only")
    if fitted.backbone is None or fitted.backbone.module is None:
        raise ValueError("the model reuses no pretrained network, so that there is no transfer to explain")
    goal = Goal.from_json(fitted.options.get("goal"))
    plan = Plan(fitted.method, model.class_weight, model.seed, fitted.options.get("method") or {}, goal=goal)
    trials = plan_trials(rows, plan.seed, repeats=1)
    own = _own(model, rows, plan, trials, listener)
    opponent = Untransferred(plan.plain, AnswerCache(model.extraction().cache, listener.say))
    other = [opponent.answer(rows.take(trial.train), rows.take(trial.test)) for trial in trials.trials]
    with_, without = (_decided(trials.joined(each)) for each in (own, other))
    return _told(rows.take(trials.tested), with_, without, trials.words)


def _own(model: Transfer, rows: FeatureSet, plan: Plan, trials: Trials, listener: Listener) -> list[Answers]:
    """What the transferred model answers to the rows that were held out from it."""
    fitted = model.model_
    if trials.held_out:
        return [answers_of(fitted, rows.take(trials.trials[0].test))]
    row = method(plan.method)
    if row.moves_weights or row.needs_source or fitted.beside:
        raise ValueError(
            f"the model ({plan.method}) learnt from every row, and is too dear to be fitted anew: give data that is "
            "split, or more of it"
        )
    candidate = TaskCandidate(rows, fitted.backbone, plan, (model.extraction(fitted.engine), listener))
    return [candidate.answer(candidate.fit(trial.train), trial.test) for trial in trials.trials]


def _decided(answers: Answers) -> Array:
    """(N,) codes."""
    if isinstance(answers, Decided):
        return np.asarray(answers.decisions[0], np.int64)
    return np.asarray(np.asarray(answers)[0].argmax(-1))


def _told(rows: FeatureSet, own: Array, other: Array, words: str) -> TransferGain:
    task = rows.task
    truth = np.asarray(task.targets)
    right, others = own == truth, other == truth

    def named(some: Array, answers: Array) -> list[tuple[str, Any, Any]]:
        rows = [int(row) for row in np.flatnonzero(some)]
        return [(task.names[row], task.classes[int(truth[row])], task.classes[int(answers[row])]) for row in rows]

    won, lost = named(right & ~others, other), named(others & ~right, own)
    apart = len(won) + len(lost)
    p = float(binomtest(len(won), apart).pvalue) if apart else 1.0
    return TransferGain(won, lost, int((right & others).sum()), int((~right & ~others).sum()), p, words)
