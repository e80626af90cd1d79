"""What the guard of `fit --source` costs, beside a fit by one way that it chooses among.

    python bench/guard.py [--turns 3]

Sentences of two domains (800 and 500, the target without labels; MiniLM, features cached), and two made-up tables
(1,500 and 399 rows, 20 columns, all labelled; nothing cached, so that what the baselines answer is computed each time).
Printed: the median seconds of `fit` with the guard, and of `fit` with `source-only` or `pooled`, in the same run. Goal:
10 s with the guard.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
from tuning import sentences

import headstart as hs

GOAL = 10.0


def texts(domain: str, count: int, *, labelled: bool) -> pd.DataFrame:
    """Some sentences of a domain, and whether they praise."""
    inputs, labels, _ = sentences(domain)
    some = np.random.default_rng(0).permutation(len(inputs))[:count]
    frame = pd.DataFrame({"text": [inputs[row] for row in some], "label": [labels[row] for row in some]})
    return frame if labelled else frame[["text"]]


def table(count: int, seed: int, moved: float) -> pd.DataFrame:
    """Answers that follow from a column and the product of two others, of which some are rounded."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 20)) + moved
    answer = x[:, 0] + x[:, 1] * x[:, 2] + 0.8 * rng.normal(size=count) > 1.3
    x[:, :10] = np.round(2 * x[:, :10]).clip(-3, 3)
    return pd.DataFrame(x, columns=[f"q{number}" for number in range(20)]).assign(label=np.where(answer, "yes", "no"))


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=3)
    turns = parser.parse_args().turns
    sentences_of_two = texts("movie", 500, labelled=False), texts("amazon", 800, labelled=True)
    cases: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
        "sentences, no target labels": (*sentences_of_two, {"backbone": "bundled:minilm"}, "source-only"),
        "tables, labelled": (table(399, 1, 0.0), table(1500, 0, 0.2), {"cache": False}, "pooled"),
    }
    for name, (target, source, options, plain) in cases.items():
        taken: dict[str, list[float]] = {"auto": [], plain: []}
        for turn in range(turns + 1):
            for method, seconds in taken.items():
                began = time.perf_counter()
                hs.fit(target, source=source, roles=hs.Roles(target="label"), method=method, **options)
                if turn:  # the first fills the cache, and loads what is loaded once
                    seconds.append(time.perf_counter() - began)
        guard, alone = (statistics.median(seconds) for seconds in taken.values())
        sys.stdout.write(
            f"{name:<28} auto {guard:5.1f} s, {plain} {alone:4.1f} s: {guard / alone:4.1f} x  goal {GOAL} s\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
