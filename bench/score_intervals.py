"""How honest the intervals of transferability scores are, in simulation.

    OMP_NUM_THREADS=1 python bench/score_intervals.py [--samples 150]

Three Gaussian classes (shares .5, .3, .2) in 20 columns, 120 rows a sample. The truth of a score is its mean over
other samples. Printed for each score: the share of 95 % jackknife intervals that hold it; on 100 rows of pure noise the
score, and its mean over samples of rows drawn with replacement, which should be alike; and for the two scores that are
sums over rows the share of bootstrap intervals that hold the truth.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import softmax

from headstart.automl import SCORES, bootstrap, jackknife
from headstart.automl.knn import knn_rows
from headstart.automl.leave_one_out import leave_one_out_rows

Array = np.ndarray[Any, Any]
OF_PROBABILITIES = ("leep", "nce")
ROWS = {"knn": (knn_rows, 1.0), "leave-one-out": (leave_one_out_rows, 0.0)}
COLUMNS, SOURCE = 20, 5


def drawn(seed: int, rows: int = 120) -> tuple[Array, Array]:
    """Features and classes of a sample."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(3, rows, p=[0.5, 0.3, 0.2])
    centres = np.random.default_rng(99).normal(size=(3, COLUMNS)) / 2
    return centres[classes] + rng.normal(size=(rows, COLUMNS)), classes


def seen(name: str, features: Array) -> Array:
    """What the score looks at: the features, or for scores of source probabilities these of five classes."""
    return np.asarray(softmax(features[:, :SOURCE], axis=1)) if name in OF_PROBABILITIES else features


def coverage(name: str, score: Callable[..., float], samples: int) -> float:
    """The share of jackknife intervals that hold the mean score of other samples."""
    others = [drawn(seed) for seed in range(1000, 1000 + 2 * samples)]
    truth = np.mean([score(seen(name, x), y) for x, y in others])
    intervals = [jackknife(score, seen(name, x), y) for x, y in map(drawn, range(samples))]
    return float(np.mean([interval.low <= truth <= interval.high for interval in intervals]))


def on_noise(name: str, score: Callable[..., float]) -> tuple[float, float]:
    """The score of 100 rows of noise, and its mean over 40 samples of these with replacement."""
    rng = np.random.default_rng(0)
    x, y = seen(name, rng.normal(size=(100, 30))), rng.integers(0, 3, 100)
    again = [rng.integers(0, 100, 100) for _ in range(40)]
    return score(x, y), float(np.mean([score(x[rows], y[rows]) for rows in again]))


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=150)
    samples = parser.parse_args().samples
    for name, entry in SCORES.items():
        score = entry.of
        few = samples // 4 if name == "n-leep" else samples
        value, bootstrapped = on_noise(name, score)
        sys.stdout.write(
            f"{name:<16} jackknife holds the truth in {coverage(name, score, few):.0%}; "
            f"noise {value:.3g}, drawn with replacement {bootstrapped:.3g}\n"
        )
    for name, (terms, highest) in ROWS.items():
        truth = np.mean([terms(*drawn(seed)).mean() for seed in range(1000, 1000 + 2 * samples)])
        intervals = [bootstrap(terms(*drawn(seed)), highest=highest) for seed in range(samples)]
        held = np.mean([interval.low <= truth <= interval.high for interval in intervals])
        sys.stdout.write(f"{name:<16} bootstrap of rows holds the truth in {held:.0%}\n")


if __name__ == "__main__":
    main()
