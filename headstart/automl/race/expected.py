"""What a trial is expected to bring, and what it will cost: the next one is that of the highest gain a second.

Gain      of a new setting of an arm: E max(0, g), g the share of the leader's loss by which it will lie lower,

              g ~ N(m, s^2)    m = (k m_0 + sum g_i) / (k + n)    s^2 = (k s_0^2 + sum (g_i - m)^2) / (k + n)

          from n settings that were tried and what the arm brings, m_0 and s_0 (`space`), which counts as k = 1/4 of
          one, for settings of an arm are mostly alike; counted from the probe on the same backbone; settings of other
          arms on that are averaged into m_0 and s_0, each counting as much as the arm itself. Expected improvement
          (Jones et al., 1998), a second (Snoek et al., 2012)
          of a setting on a further fold: what is to be won by knowing better: E max(0, g) where it does not lead,
          E max(0, -g) where it does, g ~ N(its gain on the folds so far, their standard error)
Seconds   of a fold: work, counted in seconds of a forward pass (measured once a backbone) or in rows, times what such
          work took in this race: of the same arm, else of the same tier, else a first guess. Where the lower stages do
          not learn, what they make of the rows is computed once (`training.cut`), and steps are of the others alone
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from headstart.automl.race.space import Arm

__all__ = ["Costs", "above", "gain_of_new", "improvement", "value_of_knowing"]

_PRIOR = 0.25
_FORWARD_AND_BACK = 4.0
"""Passes that a step takes: forward, two as long backward, and a share of a validation."""
_UPDATE = 1.5e-8
"""Seconds in which an optimizer moves a weight."""
_BATCH, _VIEWS = 16, 4
_A_ROW, _AT_LEAST = 0.005, 0.3


def improvement(mean: float, spread: float) -> float:
    """E max(0, g) for g ~ N(mean, spread^2)."""
    if spread <= 0:
        return max(0.0, mean)
    z = mean / spread
    return float(mean * stats.norm.cdf(z) + spread * stats.norm.pdf(z))


def above(mean: float, spread: float) -> float:
    """The probability of a gain g ~ N(mean, spread^2) above 0."""
    return float(mean > 0) if spread <= 0 else float(stats.norm.cdf(mean / spread))


def gain_of_new(arm: Arm, probe: float, gains: Sequence[float], others: Sequence[float] = ()) -> tuple[float, float]:
    """m and s of a setting of an arm that is still to be tried.

    probe    by how much the probe on its backbone loses less than the leader, as a share
    gains    of settings tried; others: of those of other arms that move weights of the same backbone
    """
    first, variance = probe + arm.gain * (1 - probe), arm.spread**2
    if others:
        first = (first + sum(others)) / (1 + len(others))
        variance = (variance + sum((gain - first) ** 2 for gain in others)) / (1 + len(others))
    count = _PRIOR + len(gains)
    mean = (_PRIOR * first + sum(gains)) / count
    variance = (_PRIOR * variance + sum((gain - mean) ** 2 for gain in gains)) / count
    return mean, math.sqrt(variance)


def value_of_knowing(gain: float, error: float, *, leads: bool) -> float:
    """What a further fold of a setting is worth, in shares of the leader's loss."""
    return improvement(-gain if leads else gain, error)


class Costs:
    """Seconds of what is to come, from those of what was done.

    forward   by backbone, seconds of a row through the network
    weights   by backbone, how many it has; stages: likewise
    """

    def __init__(
        self, forward: Mapping[str, float], weights: Mapping[str, int], stages: Mapping[str, int] | None = None
    ) -> None:
        self.forward, self.weights, self.stages = forward, weights, stages or {}
        self._of_arm: dict[str, list[float]] = defaultdict(list)
        self._of_tier: dict[int, list[float]] = defaultdict(list)

    def work(self, arm: Arm, options: Mapping[str, Any], rows: int) -> float:
        """How much one fit on so many rows takes, in units of its own."""
        if not arm.tuned:
            return _AT_LEAST + _A_ROW * rows
        name = arm.backbone or ""
        forward, epochs = self.forward.get(name, 0.02), float(options.get("epochs", 6))
        a_row = _FORWARD_AND_BACK * forward + _UPDATE * self.weights.get(name, 0) / _BATCH
        if "stages" not in options:
            return _AT_LEAST + epochs * rows * a_row
        share = min(1.0, float(options["stages"]) / self.stages.get(name, 1))
        forms = _VIEWS if options.get("augment") else 1
        return _AT_LEAST + rows * (epochs * share * a_row + forms * forward)

    def add(self, arm: Arm, options: Mapping[str, Any], rows: int, seconds: float) -> None:
        """A fit took so long."""
        ratio = max(seconds, 1e-3) / self.work(arm, options, rows)
        self._of_arm[arm.key].append(ratio)
        self._of_tier[min(arm.tier, 1)].append(ratio)

    def seconds(self, arm: Arm, options: Mapping[str, Any], rows: int) -> float:
        """How long a fit will take."""
        ratios = self._of_arm[arm.key][-3:] or self._of_tier[min(arm.tier, 1)]
        ratio = float(np.exp(np.mean(np.log(ratios)))) if ratios else 1.0
        return ratio * self.work(arm, options, rows)
