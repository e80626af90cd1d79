"""From answers to held-out rows to scores, baselines, gain and verdict, all on the same resamples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from headstart.data.task import Array
from headstart.evidence.bootstrap import bootstrap
from headstart.evidence.held import Held
from headstart.evidence.intervals import Interval, interval
from headstart.evidence.scores import HEADLINE, METRICS
from headstart.evidence.verdict import Verdict, verdict

__all__ = ["NO_TRANSFER", "Assessment", "Gain", "assess"]

NO_TRANSFER = "no-transfer"
_MODEL = "the model itself"

Scores = dict[str, Interval]


class Gain(NamedTuple):
    """The paired difference model - baseline in one metric."""

    metric: str
    over: str
    value: float
    low: float
    high: float

    @property
    def interval(self) -> Interval:
        return Interval(self.value, self.low, self.high)


class Assessment(NamedTuple):
    """The scores of the model and of each baseline; gains over every baseline; the verdict is that of no-transfer.

    `gain` and `verdict` are None where there is no model without transfer to compare with.
    """

    metrics: Scores
    baselines: dict[str, Scores]
    gains: dict[str, Gain]
    gain: Gain | None
    verdict: Verdict | None


def assess(held: Held, predictions: Array, baselines: Mapping[str, Array], *, seed: int = 0) -> Assessment:
    """Score a model and its baselines on the same held-out rows.

    predictions, baselines   (N, C) probabilities or (N,) values, or with an axis of repeats before
    """
    drawn = bootstrap(held, {_MODEL: predictions, **baselines}, seed=seed)
    scores = {
        name: {metric: interval(found.draws(metric)) for metric in METRICS[held.kind]} for name, found in drawn.items()
    }
    metric = HEADLINE[held.kind]
    gains = {
        name: Gain(metric, name, *interval(drawn[_MODEL].draws(metric).minus(drawn[name].draws(metric))))
        for name in baselines
    }
    gain = gains.get(NO_TRANSFER)
    return Assessment(
        metrics=scores.pop(_MODEL),
        baselines=scores,
        gains=gains,
        gain=gain,
        verdict=None if gain is None else verdict(gain.interval),
    )
