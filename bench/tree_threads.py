"""Boosted trees on small arrays: one thread against all, alone and beside a process that keeps every core busy.

    python bench/tree_threads.py

Prints seconds of 100 trees of 8 leaves by size of the array, the ratio, and whether the answers are the same bits. From
some `headstart.linalg.blas.FEW` numbers on headstart leaves the threads as they are.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

SHAPES = ((160, 8), (400, 8), (1_000, 20), (2_000, 20), (4_000, 20), (8_000, 40), (30_000, 40))
TURNS = 3


def fitted(x: Any, y: Any, threads: int) -> tuple[float, Any]:
    """Seconds, and answers."""
    model = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=8, early_stopping=False, random_state=0)
    with threadpool_limits(threads, user_api="openmp"):
        began = time.perf_counter()
        model.fit(x, y)
        return time.perf_counter() - began, model.predict_proba(x)


def table(what: str) -> None:
    rng, cores = np.random.default_rng(0), os.cpu_count() or 1
    for rows, columns in SHAPES:
        x = rng.normal(size=(rows, columns))
        y = x[:, 0] + rng.normal(size=rows) > 0
        turns = [(fitted(x, y, 1), fitted(x, y, cores)) for _ in range(TURNS)]
        one, all_of_them = (min(turn[side][0] for turn in turns) for side in (0, 1))
        same = all(np.array_equal(single[1], several[1]) for single, several in turns)
        words = f"{what:<16}{rows * columns:>10,} numbers: 1 thread {one:.2f} s / {cores} threads {all_of_them:.2f} s"
        sys.stdout.write(f"{words} = {one / all_of_them:.2f}{'' if same else ', other bits'}\n")
        sys.stdout.flush()


def spin() -> None:
    while True:
        sum(range(10_000))


def main() -> None:
    table("alone")
    busy = [multiprocessing.Process(target=spin, daemon=True) for _ in range(os.cpu_count() or 1)]
    for process in busy:
        process.start()
    try:
        table("beside others")
    finally:
        for process in busy:
            process.terminate()


if __name__ == "__main__":
    main()
