"""`fit --source` without target labels on three shifts: is `auto` ever worse than the source alone, and how good is it?

    python bench/shifts.py [--seeds 5] [--from 0]

Data: skada's make_shifted_datasets(20, 20, noise=.3), as two tables. Each is fitted by `headstart.fit` with
target_labels="none": five times on four fifths of the target's rows, without their answers, and tested on the rest.
Goals, of the mean target accuracy: at least that of source only less .01, and .93 (covariate), .93 (label), .88
(conditional). The exit code is 1 where one is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

import numpy as np
import pandas as pd
import sklearn
from choose import SHIFTS, pair

from headstart import Roles, fit
from headstart.tasks.task import Array

GOALS = dict(zip(SHIFTS, (0.93, 0.93, 0.88), strict=True))
MARGIN = 0.01


def table(rows: Array, answers: Array) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["a", "b"]).assign(answer=np.where(answers > 0, "yes", "no"))


def fitted(shift: str, seed: int) -> tuple[float, float, str]:
    """Target accuracy of auto and of source only, and the way that auto took with all target rows."""
    domains, truth = pair(shift, seed)
    sklearn.set_config(enable_metadata_routing=False)  # skada switches it on for the whole process
    source, target = table(domains.source, domains.targets), table(domains.target, truth)
    made = fit(target, source=source, roles=Roles(target="answer"), target_labels="none", cache=False)
    found = made.evidence_
    way = f"{found.facts.model.method} {found.facts.model.source.base}"
    return found.metrics["accuracy"].value, found.baselines["source-only"]["accuracy"].value, way


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--from", type=int, default=0, dest="first")
    asked = parser.parse_args()
    reached = True
    sys.stdout.write(f"{'':<20}{'source only':>12}{'auto':>8}{'goal':>8}  ways\n")
    for shift, goal in GOALS.items():
        runs = [fitted(shift, seed) for seed in range(asked.first, asked.first + asked.seeds)]
        auto, source = (float(np.mean([run[place] for run in runs])) for place in (0, 1))
        reached &= auto >= max(goal, source - MARGIN)
        ways = ", ".join(f"{way} {count}" for way, count in Counter(run[2] for run in runs).most_common())
        sys.stdout.write(f"{shift:<20}{source:>12.3f}{auto:>8.3f}{goal:>8.2f}  {ways}\n")
        sys.stdout.flush()
    raise SystemExit(0 if reached else 1)


if __name__ == "__main__":
    main()
