"""Who leads a race: what was tried, and which of it would be kept if it ended now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.automl.race.scoring import Apart, Judge, RowLosses
from headstart.automl.race.space import Arm
from headstart.study.without_transfer import AIMED, OWN
from headstart.tasks.goal import Answers, Decided
from headstart.tasks.task import Array

__all__ = ["Tried", "leader", "predictions_of"]

_RULED_OUT, _TIE = 2.0, 0.5


@dataclass
class Tried:
    """A setting of an arm, and its answers fold by fold.

    answers   by fold, to its rows; seconds by fold
    losses    of all rows, NaN where its folds have not been answered
    """

    arm: Arm
    number: int
    options: dict[str, Any]
    losses: RowLosses
    answers: dict[int, Answers] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """By which it is told apart."""
        return self.arm.key if self.arm.settings == 1 else f"{self.arm.key}, trial {self.number}"

    @property
    def fold_seconds(self) -> float:
        """Of one fold, on average."""
        return float(np.mean(list(self.seconds.values()))) if self.seconds else 0.0

    def add(self, judge: Judge, fold: int, rows: Array, answers: Answers, seconds: float) -> None:
        """Its answers to the rows of one more fold. ValueError where they are not finite."""
        new = judge.losses(answers, rows)
        self.losses.own[rows] = new.own[rows]
        if self.losses.aimed is not None and new.aimed is not None:
            self.losses.aimed[rows] = new.aimed[rows]
        self.answers[fold], self.seconds[fold] = answers, seconds


def leader(tried: Sequence[Tried], judge: Judge, folds: int) -> Tried | None:
    """What would be kept.

    Of what moves nothing (all of whose folds are answered): none that misses the aim by more than two standard errors
    of the difference to the best; of the others the lowest loss, and within half a standard error of it the fastest.
    What reuses nothing takes its place where it is better by as much as `study.without_transfer` asks for. Then, from
    cheap to dear, each that moves weights takes its place where it is better, see `scoring`.
    """
    eligible = [setting for setting in tried if setting.arm.eligible and setting.answers]
    frozen = [setting for setting in eligible if not setting.arm.tuned and len(setting.answers) == folds]
    best = _best_frozen([setting for setting in frozen if setting.arm.reuses], judge)
    for setting in frozen:
        if not setting.arm.reuses and (best is None or _clearly(judge.apart(setting.losses, best.losses))):
            best = setting
    for setting in sorted(
        (setting for setting in eligible if setting.arm.tuned),
        key=lambda setting: (setting.arm.tier, -len(setting.answers)),
    ):
        if best is None or judge.apart(setting.losses, best.losses).better:
            best = setting
    return best


def _clearly(apart: Apart) -> bool:
    """Whether what reuses nothing is better by so many standard errors as `fit` asks for."""
    own = apart.gain > OWN * apart.error
    return own and (apart.aimed_gain > AIMED * apart.aimed_error or not apart.aimed_error)


def _best_frozen(frozen: Sequence[Tried], judge: Judge) -> Tried | None:
    if not frozen:
        return None
    losses = {setting.name: judge.mean(setting.losses) for setting in frozen}
    aimed = min(frozen, key=lambda setting: (_aimed(setting, judge), losses[setting.name]))
    apart = [judge.apart(aimed.losses, setting.losses) for setting in frozen]
    left = [
        setting for setting, gap in zip(frozen, apart, strict=True) if not gap.aimed_gain > _RULED_OUT * gap.aimed_error
    ]
    lowest = min(left, key=lambda setting: losses[setting.name])
    gaps = [judge.apart(lowest.losses, setting.losses) for setting in left]
    tied = [setting for setting, gap in zip(left, gaps, strict=True) if not gap.gain > _TIE * gap.error]
    return min(
        tied,
        key=lambda setting: (
            setting is not lowest and setting.fold_seconds >= lowest.fold_seconds,
            setting.fold_seconds,
        ),
    )


def _aimed(setting: Tried, judge: Judge) -> float:
    aimed = setting.losses.aimed
    if aimed is None:
        return 0.0
    return float(np.average(aimed, weights=judge.aimed_weights))


def predictions_of(setting: Tried, rows: Sequence[Array]) -> Array:
    """(N, C) or (N,) what it answered to all rows; rows of each fold. All folds must be answered."""
    parts = [
        answers.predictions if isinstance(answers, Decided) else answers
        for answers in (setting.answers[fold] for fold in range(len(rows)))
    ]
    joined = np.empty((sum(map(len, rows)), *np.asarray(parts[0]).shape[1:]))
    for place, part in zip(rows, parts, strict=True):
        joined[place] = part
    return joined
