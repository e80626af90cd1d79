"""From answers to held-out rows to scores, baselines, gain and verdict, all on the same resamples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from headstart.evidence.bootstrap import bootstrap
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import Interval, interval
from headstart.evidence.scores import better_by
from headstart.evidence.verdict import Verdict, verdict
from headstart.tasks.goal import Answers

__all__ = ["NO_PRETRAINING", "NO_TRANSFER", "Adaptation", "Assessment", "Gain", "assess"]

NO_TRANSFER, NO_PRETRAINING = "no-transfer", "no-pretraining"
_MODEL = "the model itself"

Scores = dict[str, Interval]


class Gain(NamedTuple):
    """The paired difference of model and baseline in one metric: above 0 where the model is better."""

    metric: str
    over: str
    value: float
    low: float
    high: float

    @property
    def interval(self) -> Interval:
        return Interval(self.value, self.low, self.high)


class Adaptation(NamedTuple):
    """Did adaptation help? The paired gain over the best way that does not adapt.

    gain, verdict   None where nothing was adapted, or nothing was tested on the target
    why             in words how the best of those ways was found, or why there is no answer
    """

    gain: Gain | None
    verdict: Verdict | None
    why: str

    @classmethod
    def of(cls, gain: Gain, why: str) -> Adaptation:
        """With the verdict that goes with the gain."""
        return cls(gain, verdict(gain.interval), why)


class Assessment(NamedTuple):
    """The scores of the model and of each baseline; gains over every baseline.

    gain, verdict   over no-transfer, or where the target's answers may not be learnt from over no-pretraining; None
                    where there is neither to compare with
    """

    metrics: Scores
    baselines: dict[str, Scores]
    gains: dict[str, Gain]
    gain: Gain | None
    verdict: Verdict | None

    def without_transfer(self, name: str) -> Assessment:
        """Of a model without transfer that is kept in the place of one with it, which is among the baselines: the gain
        is over that one, and the verdict says whether transfer would have helped."""
        gain = self.gains[name]
        return self._replace(gain=gain, verdict="helps" if gain.high < 0 else "does not help")


def assess(held_out: HeldOut, predictions: Answers, baselines: Mapping[str, Answers], *, seed: int = 0) -> Assessment:
    """Score a model and its baselines on the same held-out rows.

    predictions, baselines   (N, C) probabilities or (N,) values, or with an axis of repeats before
    """
    drawn = bootstrap(held_out, {_MODEL: predictions, **baselines}, seed=seed)
    scores = {
        name: {metric: interval(resampled.draws(metric)) for metric in held_out.metrics}
        for name, resampled in drawn.items()
    }
    metric = held_out.headline
    gains = {
        name: Gain(metric, name, *interval(better_by(metric, drawn[_MODEL].draws(metric), drawn[name].draws(metric))))
        for name in baselines
    }
    gain = gains.get(NO_TRANSFER, gains.get(NO_PRETRAINING))
    return Assessment(
        metrics=scores.pop(_MODEL),
        baselines=scores,
        gains=gains,
        gain=gain,
        verdict=None if gain is None else verdict(gain.interval),
    )
