"""From errors of subsamples to a curve with a band, a power law, and the error that more rows would leave.

What an interval says of the error after learning from n new rows is simulated, B times:

    test rows   the errors on a resample of them, the same for all sizes, draws and models (`evidence.bootstrap`)
    draws       the mean over draws that are drawn anew, sqrt(D / (D - 1)) as far from the mean over all
    pool        - g sqrt(v(n) n / N), g standard normal: subsamples of one pool share its luck, all of it at n = N
    start       the law is fitted from the first, second, third or fourth size on: where it begins is not known
                (Hestness et al., 2017: it does not hold for the smallest sizes)
    new rows    + h sqrt(v(n)), h standard normal: of what is foretold, another set of rows would leave another error

v is the spread between training sets (`spread.py`), and sizes weigh n in the fit, one over it. The ends of an interval
are the 2.5 % and 97.5 % quantiles. A gain is what is foretold beside the error now, simulation by simulation, on the
same test rows, so that it is known better than either.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.automl.learning_curves.measure import Design, Errors
from headstart.automl.learning_curves.power_law import PowerLaw, fit_power_law, fit_power_laws
from headstart.automl.learning_curves.spread import Spread, spread_of
from headstart.evidence.intervals import ALPHA, Interval
from headstart.tasks.task import Array

__all__ = ["FACTORS", "LEAST_RANGE", "LEAST_SIZES", "STARTS", "Extrapolation", "extrapolate"]

FACTORS = (2, 4)
"""How many times the labels are foretold of."""
LEAST_SIZES, LEAST_RANGE = 4, 4.0
"""A law of three parameters takes four sizes, and the largest four times the smallest."""
STARTS = 4


class Laws(NamedTuple):
    """a, b and c (B,), of B curves."""

    a: Array
    b: Array
    c: Array

    def at(self, rows: Array) -> Array:
        """(B, M) the errors for M numbers of rows."""
        return np.asarray(self.a[:, None] + self.b[:, None] * np.asarray(rows, np.float64) ** -self.c[:, None])


class Extrapolation(NamedTuple):
    """Of one model.

    mean     (K,) errors over all draws and test rows
    now      (B,) errors of all rows there are, on each resample of the test rows
    curves   (B, K) errors as simulated
    law      through the mean; None where none fits, and `why` says so
    laws     through the simulated; None as above
    begins   the size from which on the law was fitted to the mean
    """

    design: Design
    mean: Array
    now: Array
    curves: Array
    spread: Spread
    law: PowerLaw | None
    laws: Laws | None
    why: str
    begins: int

    def measured(self) -> list[Interval]:
        """The error at each size: the mean over training sets, and its interval."""
        return [_interval(value, curves) for value, curves in zip(self.mean, self.curves.T, strict=True)]

    def foretold(self, rows: int, seed: int) -> tuple[Interval, Interval]:
        """The error after learning from so many rows, and by how much it is less than now."""
        if self.law is None or self.laws is None:
            raise ValueError(f"no power law fits: {self.why}")
        value = float(self.law.at(rows))
        noise = np.random.default_rng((seed, rows)).standard_normal(len(self.curves))
        errors = self.laws.at(np.array([rows]))[:, 0] + noise * np.sqrt(self.spread.variance(rows))
        errors = np.maximum(errors, 0)
        return _interval(value, errors), _interval(float(self.mean[-1]) - value, self.now - errors)


def extrapolate(
    errors: Errors, design: Design, *, model: int, seed: int, spread: Spread | None = None, starts: int = STARTS
) -> Extrapolation:
    """Of one model; `model` is its number, so that the luck of the pool is its own while draws are those of all.

    spread   between training sets; None: as the draws show it
    starts   from how many sizes on the law may begin
    """
    spread = spread_of(errors, design) if spread is None else spread
    resampled = errors.resampled[np.isfinite(errors.resampled).all(axis=(1, 2))]
    mean, sizes = errors.value.mean(axis=0), np.asarray(design.sizes, np.float64)
    curves = _simulated(resampled, design, spread, model, seed)
    now = resampled[:, :, -1].mean(axis=1)
    why = _unfit(mean, curves, design.sizes)
    law, begins = (None, 0) if why else _law(sizes, mean, starts)
    if law is not None and law.at_limit:
        why, law = _limit(law), None
    if law is None:
        return Extrapolation(design, mean, now, curves, spread, None, None, why, 0)
    weights = sizes * _begun(len(sizes), len(curves), starts, seed)
    laws = Laws(*fit_power_laws(sizes, curves, weights))
    return Extrapolation(design, mean, now, curves, spread, law, laws, "", design.sizes[begins])


def _law(sizes: Array, mean: Array, starts: int) -> tuple[PowerLaw, int]:
    """The law from the first size on from which there is one within the limits, and the number of that size; that from
    the smallest size on where there is none."""
    begins = range(min(starts, len(sizes) - LEAST_SIZES + 1))
    laws = [fit_power_law(sizes[start:], mean[start:], sizes[start:]) for start in begins]
    return next(((law, start) for start, law in enumerate(laws) if not law.at_limit), (laws[0], 0))


def _simulated(resampled: Array, design: Design, spread: Spread, model: int, seed: int) -> Array:
    """(B, K) curves."""
    count, draws = resampled.shape[:2]
    drawn = np.random.default_rng((seed, 1)).integers(draws, size=(count, draws))
    mean = resampled.mean(axis=1)
    again = np.take_along_axis(resampled, drawn[:, :, None], axis=1).mean(axis=1)
    curves = mean + (again - mean) * np.sqrt(draws / (draws - 1))
    sizes = np.asarray(design.sizes, np.float64)
    luck = np.random.default_rng((seed, 2, model)).standard_normal((count, 1))
    return np.asarray(np.maximum(curves - luck * np.sqrt(spread.variance(sizes) * sizes / design.pool), 0))


def _begun(sizes: int, count: int, starts: int, seed: int) -> Array:
    """(B, K) 1 from the size on where a law begins, which is drawn, 0 before it; four sizes are left at least."""
    begun = np.random.default_rng((seed, 3)).integers(min(starts, sizes - LEAST_SIZES + 1), size=count)
    return np.asarray(np.arange(sizes) >= begun[:, None], np.float64)


def _unfit(mean: Array, curves: Array, sizes: tuple[int, ...]) -> str:
    """Why no power law can be fitted, in words; "" where one can."""
    if len(sizes) < LEAST_SIZES:
        return f"{len(sizes)} sizes are too few for a power law, which takes {LEAST_SIZES}"
    if sizes[-1] < LEAST_RANGE * sizes[0]:
        return f"the sizes span a factor of {sizes[-1] / sizes[0]:.1f}, and a power law takes one of {LEAST_RANGE:g}"
    lowest = int(mean.argmin())
    if lowest < len(sizes) - 1 and np.quantile(curves[:, -1] - curves[:, lowest], ALPHA / 2) > 0:
        return f"the score gets worse again from {sizes[lowest]:,} labels on, which a power law does not"
    third = max(1, len(sizes) // 3)
    gained = curves[:, :third].mean(axis=1) - curves[:, -third:].mean(axis=1)
    if np.quantile(gained, ALPHA / 2) <= 0:
        return "the score is not shown to get better with more labels"
    return ""


def _limit(law: PowerLaw) -> str:
    if law.c > 1:
        return "the score has levelled off faster than any power law"
    return "the score gets better too slowly for the exponent of a power law to be known"


def _interval(value: float, simulated: Array) -> Interval:
    low, high = np.quantile(simulated, [ALPHA / 2, 1 - ALPHA / 2])
    return Interval(value, min(float(low), value), max(float(high), value))
