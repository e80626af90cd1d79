"""Scores of models that learnt from nested subsamples, all tested on the same rows and scored on the same resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from headstart.automl.learning_curves.subsamples import nested_order
from headstart.errors import DataError
from headstart.evidence.bootstrap import bootstrap
from headstart.evidence.held_out import HeldOut
from headstart.evidence.scores import LOWER_IS_BETTER
from headstart.features.feature_set import FeatureSet
from headstart.listener import Listener
from headstart.study.comparison import Contender
from headstart.study.resampling import Trials
from headstart.tasks.goal import GOALS
from headstart.tasks.task import Array

__all__ = ["RESAMPLES", "Design", "Errors", "Study", "draws_of", "error_of", "measure"]

RESAMPLES = 1000
MOST_KNOWN = 0.5
"""The share of resamples that must have a score."""


class Errors(NamedTuple):
    """Of one model, K sizes and D draws of subsamples: on all test rows (D, K), and on B resamples of them (B, D, K).

    An error is 1 - score where the score is 1 at best, else the score itself.
    """

    value: Array
    resampled: Array


class Design(NamedTuple):
    """sizes (K,), ascending; trials a draw; rows that subsamples are drawn from; rows that are tested."""

    sizes: tuple[int, ...]
    folds: int
    pool: int
    tested: int


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is measured.

    draws      of each the trials: rows to take the subsamples from, and rows to test on; each covers all tested rows
    sizes      (K,) rows of the subsamples, ascending, at most those of the smallest trial
    held_out   the answers of all tested rows
    metric     the score, by name
    """

    rows: FeatureSet
    draws: tuple[Trials, ...]
    sizes: tuple[int, ...]
    held_out: HeldOut
    metric: str
    seed: int

    @property
    def design(self) -> Design:
        """What an extrapolation has to know of it. In a cross-validation all rows are drawn from, fold by fold."""
        trials = self.draws[0]
        pool = len(trials.trials[0].train) if trials.held_out else len(self.rows)
        return Design(self.sizes, len(trials.trials), pool, len(trials.tested))


def draws_of(trials: Trials, count: int) -> tuple[Trials, ...]:
    """So many draws: the repeats of a cross-validation, or the same split each time."""
    if trials.held_out:
        return (trials,) * count
    split = [tuple(t._replace(repeat=0) for t in trials.trials if t.repeat == number) for number in range(count)]
    return tuple(Trials(part, trials.tested, trials.words) for part in split)


def error_of(metric: str, scores: Array) -> Array:
    """What is the lower the better, from 0 up; its own inverse."""
    return scores if metric in LOWER_IS_BETTER else 1 - scores


def measure(study: Study, contenders: Mapping[str, Contender], listener: Listener) -> dict[str, Errors]:
    """Fit each contender on each subsample of each draw. What is known from an earlier run is read from the cache."""
    draws, sizes = len(study.draws), len(study.sizes)
    measured = {name: Errors(np.empty((draws, sizes)), np.empty((RESAMPLES, draws, sizes))) for name in contenders}
    for draw, trials in enumerate(study.draws):
        orders = [
            trial.train[nested_order(study.rows.take(trial.train), f"curve {study.seed} {draw} {fold}")]
            for fold, trial in enumerate(trials.trials)
        ]
        for place, size in enumerate(study.sizes):
            listener.progress("subsamples", draw * sizes + place, draws * sizes)
            for name, contender in contenders.items():
                errors = measured[name]
                if draw and trials.held_out and size == len(trials.trials[0].train):
                    errors.value[draw, place] = errors.value[0, place]
                    errors.resampled[:, draw, place] = errors.resampled[:, 0, place]
                    continue
                value, resampled = _scored(study, trials, [order[:size] for order in orders], contender)
                errors.value[draw, place], errors.resampled[:, draw, place] = value, resampled
    listener.progress("subsamples", draws * sizes, draws * sizes)
    for errors in measured.values():
        _require_known(errors, study)
    return measured


def _require_known(errors: Errors, study: Study) -> None:
    """DataError where the score is not defined on the tested rows, or on most resamples of them."""
    known = np.isfinite(errors.resampled).all(axis=(1, 2)).mean()
    if known < MOST_KNOWN or not np.isfinite(errors.value).all():
        own = study.held_out.kind.metrics
        other = next(name for name, metric in GOALS.items() if metric in own and metric != study.metric)
        raise DataError(
            f"{study.metric} is not defined on most resamples of the {study.design.tested} rows to test on: their "
            f"targets do not vary enough. Test on more rows, or name another score (--for {other})"
        )


def _scored(study: Study, trials: Trials, learnt: Sequence[Array], contender: Contender) -> tuple[float, Array]:
    """The error of what learns from these rows of each trial, and on each resample of the tested rows."""
    answers = [contender(None, np.sort(rows), trial.test) for rows, trial in zip(learnt, trials.trials, strict=True)]
    scored = bootstrap(study.held_out, {"": trials.joined(answers)}, resamples=RESAMPLES, seed=study.seed)[""]
    value = error_of(study.metric, np.asarray(scored.value[study.metric]))
    return float(value), error_of(study.metric, scored.resampled[study.metric])
