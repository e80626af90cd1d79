"""What a trial is expected to bring, and what it will cost: the next one is that of the highest gain a second.

Gain      of a new setting of an arm: E max(0, g), g the share of the leader's loss by which it will lie lower,

              g ~ N(m, s^2)    m = (m_0 + sum g_i) / (1 + n)    s^2 = (s_0^2 + sum (g_i - m)^2) / (1 + n)

          from n settings that were tried and one that is made up, whose m_0 and s_0 the arm brings (`space`), counted
          from the probe on the same backbone; once other arms were tried on that, half of m_0 and s_0 is theirs.
          Expected improvement (Jones et al., 1998), a second (Snoek et al., 2012)
          of a setting on a further fold: what is to be won by knowing better: E max(0, g) where it does not lead,
          E max(0, -g) where it does, g ~ N(its gain on the folds so far, their standard error)
Seconds   of a fold: work, counted in seconds of a forward pass (measured once a backbone) or in rows, times what such
          work took in this race: of the same arm, else of the same tier, else a first guess
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from headstart.automl.race.space import Arm

__all__ = ["Costs", "gain_of_new", "improvement", "value_of_knowing"]

_FORWARD_AND_BACK = 4.0
"""Passes that a step takes: forward, two as long backward, and a share of a validation."""
_UPDATE = 1.5e-8
"""Seconds in which an optimizer moves a weight."""
_BATCH = 16
_A_ROW, _AT_LEAST = 0.005, 0.3


def improvement(mean: float, spread: float) -> float:
    """E max(0, g) for g ~ N(mean, spread^2)."""
    if spread <= 0:
        return max(0.0, mean)
    z = mean / spread
    return float(mean * stats.norm.cdf(z) + spread * stats.norm.pdf(z))


def gain_of_new(arm: Arm, probe: float, gains: Sequence[float], others: Sequence[float] = ()) -> tuple[float, float]:
    """m and s of a setting of an arm that is still to be tried.

    probe    by how much the probe on its backbone loses less than the leader, as a share
    gains    of settings tried; others: of those of other arms that move weights of the same backbone
    """
    first, variance = probe + arm.gain * (1 - probe), arm.spread**2
    if others:
        first = (first + float(np.mean(others))) / 2
        variance = (variance + float(np.mean([(gain - first) ** 2 for gain in others]))) / 2
    mean = (first + sum(gains)) / (1 + len(gains))
    variance = (variance + sum((gain - mean) ** 2 for gain in gains)) / (1 + len(gains))
    return mean, math.sqrt(variance)


def value_of_knowing(gain: float, error: float, *, leads: bool) -> float:
    """What a further fold of a setting is worth, in shares of the leader's loss."""
    return improvement(-gain if leads else gain, error)


class Costs:
    """Seconds of what is to come, from those of what was done.

    forward   by backbone, seconds of a row through the network
    weights   by backbone, how many it has
    """

    def __init__(self, forward: Mapping[str, float], weights: Mapping[str, int]) -> None:
        self.forward, self.weights = forward, weights
        self._of_arm: dict[str, list[float]] = defaultdict(list)
        self._of_tier: dict[int, list[float]] = defaultdict(list)

    def work(self, arm: Arm, options: Mapping[str, Any], rows: int) -> float:
        """How much one fit on so many rows takes, in units of its own."""
        if not arm.tuned:
            return _AT_LEAST + _A_ROW * rows
        name = arm.backbone or ""
        a_row = _FORWARD_AND_BACK * self.forward.get(name, 0.02) + _UPDATE * self.weights.get(name, 0) / _BATCH
        return _AT_LEAST + float(options.get("epochs", 6)) * rows * a_row

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
