"""Transferability scores of 2,000 rows of 1,280 features in 10 classes, on one core.

    OMP_NUM_THREADS=1 python bench/transferability.py [--quick]

Prints seconds of the decomposition that all scores of features share, and of each score after it; the least of three.
Goal: under a second each.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import softmax
from threadpoolctl import threadpool_limits

from headstart.automl import SCORES, decompose, transferability

ROWS, COLUMNS, CLASSES, TURNS = 2000, 1280, 10, 3


def least(call: Callable[[], Any]) -> float:
    """Seconds of the fastest of some turns."""
    seconds = []
    for _ in range(TURNS):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def main() -> None:
    rows, columns = (200, 128) if "--quick" in sys.argv else (ROWS, COLUMNS)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, rows)
    spectrum = np.exp(-6 * np.arange(columns) / columns)
    features = rng.normal(size=(CLASSES, columns))[labels] * spectrum + rng.normal(size=(rows, columns)) * spectrum
    given = {"features": features.astype(np.float32), "probabilities": softmax(features, axis=1)}
    with threadpool_limits(1):
        print(f"{rows} rows, {columns} columns, {CLASSES} classes, one thread; seconds")
        print(f"{'decompose':16}{least(lambda: decompose(given['features'])):7.3f}")
        given["features"] = decompose(given["features"])
        for name, score in SCORES.items():
            seconds = least(lambda name=name, score=score: transferability(name, given[score.takes], labels))
            print(f"{name:16}{seconds:7.3f}")


if __name__ == "__main__":
    main()
