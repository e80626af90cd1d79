"""What a race tried before the test split was opened: trials, seconds, scores, and what more time would bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from headstart.evidence.lines import WIDTH, wrapped
from headstart.messages import lasting

__all__ = ["RaceFacts", "TrialFacts", "race_from", "table"]

_SHOWN = 12


class TrialFacts(NamedTuple):
    """A setting that was tried.

    loss      on held-out rows of the training rows, see `automl.race.scoring`
    gain, error   by how much the model that is kept loses less on the same rows, and the standard error of that
    folds     how many of them it answered; seconds of a fold
    options   of the method
    """

    name: str
    loss: float
    gain: float
    error: float
    folds: int
    seconds: float
    options: dict[str, Any]


class RaceFacts(NamedTuple):
    """A race.

    budget, spent   seconds that it might take, and that passed until the test split was opened
    ended     why it ended
    winner    what is kept; weights: of its members by name, where it is an average of several
    trials    from the lowest loss on; failures: name and reason
    outlook   what more time would probably bring, in words
    folds     of the training rows
    """

    budget: float
    spent: float
    ended: str
    winner: str
    weights: dict[str, float]
    trials: tuple[TrialFacts, ...]
    failures: tuple[tuple[str, str], ...]
    outlook: str
    folds: int

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return self._asdict() | {
            "trials": [trial._asdict() for trial in self.trials],
            "failures": [list(failure) for failure in self.failures],
        }


def race_from(record: Mapping[str, Any] | None) -> RaceFacts | None:
    """What `to_json` gave; None for None. TypeError, KeyError or ValueError where it is damaged."""
    if record is None:
        return None
    return RaceFacts(
        budget=float(record["budget"]),
        spent=float(record["spent"]),
        ended=str(record["ended"]),
        winner=str(record["winner"]),
        weights={str(name): float(weight) for name, weight in record["weights"].items()},
        trials=tuple(TrialFacts(**trial) for trial in record["trials"]),
        failures=tuple((str(name), str(why)) for name, why in record["failures"]),
        outlook=str(record["outlook"]),
        folds=int(record["folds"]),
    )


def table(race: RaceFacts) -> Iterator[str]:
    """In lines of a terminal of 80 columns."""
    yield from wrapped(
        f"the race: {len(race.trials)} settings in {lasting(race.spent)} of {lasting(race.budget)}; it ended because "
        f"{race.ended}; kept: {race.winner}"
    )
    if race.weights:
        yield from wrapped(
            "an average of " + ", ".join(f"{name} ({weight:.2f})" for name, weight in race.weights.items()), indent="  "
        )
    shown = race.trials[:_SHOWN]
    width = min(max((len(trial.name) for trial in shown), default=4), WIDTH - 37)
    yield f"{'tried':<{width}}   loss  behind what is kept  folds  seconds"
    for trial in shown:
        behind = f"{trial.gain:.3f} ± {trial.error:.3f}"
        folds = f"{trial.folds}/{race.folds}"
        yield f"{trial.name[:width]:<{width}}  {trial.loss:5.3f}  {behind:>19}  {folds:>5}  {trial.seconds:7.1f}"
    if len(race.trials) > len(shown):
        yield f"and {len(race.trials) - len(shown)} more"
    for name, why in race.failures:
        yield from wrapped(f"not tried: {name}: {why}", indent="  ")
    yield from wrapped(race.outlook)
