"""What the evidence says of a race: what was tried, how far behind it lies, and what more time would probably bring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.automl.race.race import Race, Step
from headstart.automl.race.scoring import RowLosses
from headstart.evidence.race import RaceFacts, TrialFacts
from headstart.messages import lasting

__all__ = ["facts_of_race", "outlook"]

_LIKELY, _UNLIKELY = 0.5, 0.1


def facts_of_race(race: Race, winner: str, losses: RowLosses, weights: Mapping[str, float]) -> RaceFacts:
    """Of a race that has ended; `losses` are those of what is kept."""
    trials = []
    for setting in race.tried:
        apart = race.judge.apart(losses, setting.losses)
        options: dict[str, Any] = dict(setting.options)
        loss = race.judge.mean(setting.losses)
        trials.append(
            TrialFacts(setting.name, loss, apart.gain, apart.error, len(setting.answers), setting.fold_seconds, options)
        )
    return RaceFacts(
        budget=race.budget.seconds,
        spent=race.budget.spent,
        ended=race.ended,
        winner=winner,
        weights=dict(weights),
        trials=tuple(sorted(trials, key=lambda trial: (trial.gain, trial.loss))),
        failures=tuple(dict(race.failures).items()),
        outlook=outlook(race),
        folds=race.folds,
    )


def outlook(race: Race) -> str:
    """In words, from what the best of the trials that were not begun is expected to bring."""
    steps = [step for step in race.steps(fitting=False) if step.arm.eligible]
    if not steps:
        return "More time would bring nothing: every setting was tried. More candidates or more rows may."
    step = max(steps, key=lambda step: step.gain / max(step.seconds, 1e-3))
    what = _words(step, any(setting.arm.key == step.arm.key for setting in race.tried))
    if step.probability < _UNLIKELY:
        return f"More time would probably bring little: {what}."
    often = "is likely to" if step.probability > _LIKELY else "may"
    return f"More time {often} bring something: {what}. The same command with a longer --budget goes on from here."


def _words(step: Step, tried: bool) -> str:
    name = step.arm.key if step.setting is None else f"{step.setting.name} on another fold"
    whence = "" if tried else " (it was not tried here: such methods were elsewhere)"
    return (
        f"next would be {name}, about {lasting(step.seconds)}; it is better than what is kept with a probability of "
        f"about {step.probability:.0%}{whence}, and the loss is expected to fall by {100 * step.gain:.1f} %"
    )
