"""Simulated studies: a power law, luck of the rows that are learnt from, and a finite test.

A model that learnt from a set S of rows is wrong on test row j with probability mu(|S|) + mean_{i in S} z_i + q_j: each
row learnt from brings luck of its own, so that sets with rows in common share it, and some test rows are harder.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.automl.learning_curves.measure import Design, Errors
from headstart.automl.learning_curves.power_law import PowerLaw

SIZES = (20, 32, 51, 81, 129, 205, 325, 516)


class Simulated(NamedTuple):
    """What a study would measure, and the true error of a model that learns from the pool and as many rows more."""

    errors: Errors
    design: Design
    truth: float
    gain: float


def study(law: PowerLaw, seed: int, *, luck: float = 0.25, tested: int = 300, draws: int = 5, resamples: int = 200):
    random = np.random.default_rng(seed)
    pool = SIZES[-1]
    z = random.normal(size=2 * pool) * luck
    hard = random.normal(size=tested) * 0.05
    weights = random.multinomial(tested, np.full(tested, 1 / tested), size=resamples) / tested
    value, resampled = np.empty((draws, len(SIZES))), np.empty((resamples, draws, len(SIZES)))
    for draw in range(draws):
        order = random.permutation(pool)
        for place, size in enumerate(SIZES):
            if draw and size == pool:
                value[draw, place], resampled[:, draw, place] = value[0, place], resampled[:, 0, place]
                continue
            chance = np.clip(float(law.at(size)) + z[order[:size]].mean() + hard, 0, 1)
            wrong = (random.random(tested) < chance).astype(float)
            value[draw, place], resampled[:, draw, place] = wrong.mean(), weights @ wrong
    truth = float(law.at(2 * pool)) + float(z.mean())
    now = float(law.at(pool)) + float(z[:pool].mean())
    return Simulated(Errors(value, resampled), Design(SIZES, 1, pool, tested), truth, now - truth)
