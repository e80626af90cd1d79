"""How honest the intervals of the evidence are: whole fits of simulated small data sets, whose truth is known.

    OMP_NUM_THREADS=1 python bench/coverage.py [--sets 200] [--from 0] [--only WORD]

Gaussian classes in four columns (three alike; two of shares .85 and .15) and a linear regression, in two sizes: one
that is tested by repeated cross-validation, and one that is tested on a held-out split. Each data set is fitted with
`probe` and the default goal as `headstart.fit` does it, without baselines. The truth of a score is the one of the kept
model on 20,000 new rows. Printed in Markdown: the share of the 95 % intervals that hold it, where 92 to 98 % are
wanted, and the mean error of the value (its bias: a model of cross-validation learnt from fewer rows).
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from headstart import Task, Transfer
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import Interval
from headstart.evidence.scores import score
from headstart.listener import LOGGED
from headstart.study.protocol import goal_of
from headstart.study.stopwatch import Stopwatch
from headstart.study.task_comparison import task_comparison
from headstart.tasks import ARRAY, CLASSIFICATION, REGRESSION

Array = np.ndarray[Any, Any]
COLUMNS, NEW_ROWS = 4, 20_000


class World(NamedTuple):
    """Where data sets come from: rows -> columns and targets. `sizes`: tested by cross-validation, and on a split."""

    name: str
    draw: Callable[[np.random.Generator, int], tuple[Array, Array]]
    sizes: tuple[int, int]


def of_classes(shares: list[float], distance: float) -> Callable[[np.random.Generator, int], tuple[Array, Array]]:
    def draw(rng: np.random.Generator, rows: int) -> tuple[Array, Array]:
        classes = rng.choice(len(shares), rows, p=shares)
        centres = np.eye(COLUMNS)[: len(shares)] * distance
        return centres[classes] + rng.normal(size=(rows, COLUMNS)), classes

    return draw


def of_values(rng: np.random.Generator, rows: int) -> tuple[Array, Array]:
    columns = rng.normal(size=(rows, COLUMNS))
    return columns, columns @ np.array([1.0, -0.5, 0.25, 0.0]) + rng.normal(size=rows)


WORLDS = (
    World("three classes", of_classes([1 / 3, 1 / 3, 1 / 3], 1.5), (60, 420)),
    World("two uneven classes", of_classes([0.85, 0.15], 2.0), (90, 420)),
    World("regression", of_values, (60, 420)),
)


def task_of(columns: Array, targets: Array) -> Task:
    if targets.dtype.kind == "f":
        return Task(inputs=columns, targets=targets, kind=REGRESSION, modality=ARRAY)
    classes = tuple(map(str, np.unique(targets)))
    return Task(inputs=columns, targets=targets, kind=CLASSIFICATION, modality=ARRAY, classes=classes)


def fitted(world: World, rows: int, seed: int) -> tuple[dict[str, Interval], dict[str, float], str]:
    """The scores of one data set with their intervals, the truth of each, and how it was tested."""
    rng = np.random.default_rng(seed)
    task = task_of(*world.draw(rng, rows))
    transfer = Transfer(None, "probe", kind=task.kind, seed=seed, cache=False)
    rows_seen = transfer.look(task, listener=LOGGED)
    plan = transfer.plan._replace(goal=goal_of(None, task))
    how = (transfer.extraction(rows_seen.engine), LOGGED)
    comparison = replace(task_comparison(rows_seen, None, plan, how, Stopwatch()), contenders={})
    model, evidence = comparison.run()
    new = task_of(*world.draw(rng, NEW_ROWS))
    kept = transfer.hold(model)
    truth = score(HeldOut.of(new)._replace(goal=plan.goal), kept.answers(kept.look(new, listener=LOGGED)))
    return evidence.assessment.metrics, truth, evidence.protocol


def report(world: World, rows: int, seeds: range) -> None:
    """A line for each score of data sets of so many rows."""
    hits: dict[str, list[bool]] = defaultdict(list)
    errors: dict[str, list[float]] = defaultdict(list)
    protocol = ""
    for seed in seeds:
        intervals, truth, protocol = fitted(world, rows, seed)
        for name, interval in intervals.items():
            if np.isfinite(interval.low):
                hits[name].append(bool(interval.low <= truth[name] <= interval.high))
                errors[name].append(interval.value - truth[name])
    for name, inside in hits.items():
        figures = (f"{np.mean(inside):.1%}", f"{np.mean(errors[name]):+.3f}")
        cells = (world.name, str(rows), protocol.split(",")[0], name, *figures)
        sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--only", default="", help="worlds with this in their name")
    asked = parser.parse_args()
    sys.stdout.write("| data | rows | tested by | score | holds the truth | mean error |\n|---|--:|---|---|--:|--:|\n")
    for world in (world for world in WORLDS if asked.only in world.name):
        for rows in world.sizes:
            report(world, rows, range(asked.first, asked.first + asked.sets))


if __name__ == "__main__":
    main()
