"""A fit of a small table: 160 rows of 8 numbers, every row tested three times by models that did not see it.

    python bench/small_table.py [--turns 3]

Printed: the median seconds of `headstart.fit` without a cache, and how much of them the head and the baselines took.
Goal: 2 s.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import numpy as np
import pandas as pd

import headstart as hs

GOAL = 2.0


def table() -> pd.DataFrame:
    """The answer follows from a column and the product of two others."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(160, 8)), columns=list("abcdefgh"))
    answer = frame["a"] + frame["b"] * frame["c"] + rng.normal(size=160) / 2
    return frame.assign(label=np.where(answer > 0, "yes", "no"))


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=3)
    turns = parser.parse_args().turns
    frame, taken, parts = table(), [], []
    for turn in range(turns + 1):
        began = time.perf_counter()
        model = hs.fit(frame, roles=hs.Roles(target="label"), cache=False)
        if turn:  # the first loads what is loaded once
            taken.append(time.perf_counter() - began)
            parts.append(model.evidence_.seconds)
    middle = parts[taken.index(statistics.median_low(taken))]
    sys.stdout.write(
        f"fit of 160 rows of 8 numbers: {statistics.median_low(taken):.1f} s (goal {GOAL} s), of which the head "
        f"{middle['head']:.1f} s and the baselines {middle['baselines']:.1f} s\n"
    )


if __name__ == "__main__":
    main()
