"""Who learns from which rows and is tested on which: one held-out split, or repeated cross-validation.

With fewer than 100 rows to test on, a single split says too little: every row is then tested `REPEATS` times, each time
by a model that did not see it (Kohavi, 1995).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np

from headstart.data.splits.split import folds, split
from headstart.features.feature_set import FeatureSet
from headstart.tasks.goal import Answers, Decided
from headstart.tasks.task import Array

__all__ = ["REPEATS", "Trial", "Trials", "plan_trials"]

TEST_SHARE = 0.25
SMALLEST_TEST = 100
REPEATS = 3
FOLDS = 5


class Trial(NamedTuple):
    """Row numbers of a task: learn from `train`, be tested on `test`, in repeat number `repeat`."""

    repeat: int
    train: Array
    test: Array


@dataclass(frozen=True)
class Trials:
    """The trials of a study. `tested` (T,) are all rows that are tested, ascending; `words` say how, for a reader."""

    trials: tuple[Trial, ...]
    tested: Array
    words: str

    @property
    def repeats(self) -> int:
        return 1 + max(trial.repeat for trial in self.trials)

    @property
    def folds(self) -> int:
        """How many models share the rows of a repeat."""
        return len(self.trials) // self.repeats

    @property
    def held_out(self) -> bool:
        """Whether there is a single split, whose model is the one that is kept."""
        return len(self.trials) == 1

    def joined(self, answers: Sequence[Answers]) -> Answers:
        """The answers of each trial to its test rows as those to all tested rows, (R, T, ...) with a layer a repeat."""
        if not any(isinstance(each, Decided) for each in answers):
            return self._joined([cast(Array, each) for each in answers])
        decided = [each if isinstance(each, Decided) else Decided(each, each.argmax(axis=-1)) for each in answers]
        predictions, decisions = map(self._joined, zip(*decided, strict=True))
        return Decided(predictions, decisions)

    def _joined(self, answers: Sequence[Array]) -> Array:
        place = np.full(int(self.tested.max()) + 1, -1)
        place[self.tested] = np.arange(len(self.tested))
        layers = np.full((self.repeats, len(self.tested), *np.asarray(answers[0]).shape[1:]), np.nan)
        for trial, trial_answers in zip(self.trials, answers, strict=True):
            layers[trial.repeat, place[trial.test]] = trial_answers
        return layers


def plan_trials(feature_set: FeatureSet, seed: int, *, repeats: int = REPEATS, taught: bool = False) -> Trials:
    """The trials that fit the data: the split it came with, a split of its own, or repeated cross-validation.

    taught   there is something to learn from elsewhere, so that a given split need not leave a training row
    """
    task = feature_set.task
    given_split = None if task.split is None else np.asarray(task.split)
    if given_split is not None and (given_split != "train").any() and (taught or (given_split == "train").any()):
        tested = "test" if (given_split == "test").any() else "val"
        test = np.flatnonzero(given_split == tested)
        return _single(np.flatnonzero(given_split != tested), test, f"the {tested} split that came with the data")
    if len(feature_set) * TEST_SHARE >= SMALLEST_TEST:
        train, test = split(task.targets, task.kind, feature_set.blocks, feature_set.keys, test=TEST_SHARE, seed=seed)
        return _single(train, test, "a held-out test split, opened once")
    return _repeated(list(_cross_validation(feature_set, seed, repeats)), np.arange(len(feature_set)))


def _single(train: Array, test: Array, words: str) -> Trials:
    return Trials((Trial(0, train, test),), test, words)


def _repeated(trials: list[Trial], tested: Array) -> Trials:
    count = sum(trial.repeat == 0 for trial in trials)
    repeats = len(trials) // count
    often = f", repeated {repeats} times" if repeats > 1 else ""
    return Trials(tuple(trials), tested, f"{count}-fold cross-validation{often}")


def _cross_validation(feature_set: FeatureSet, seed: int, repeats: int) -> Iterator[Trial]:
    for repeat in range(repeats):
        fold = folds(
            feature_set.task.targets,
            feature_set.task.kind,
            feature_set.blocks,
            feature_set.keys,
            k=FOLDS,
            seed=1000 * seed + repeat,
        )
        for number in range(int(fold.max()) + 1):
            yield Trial(repeat, np.flatnonzero(fold != number), np.flatnonzero(fold == number))
