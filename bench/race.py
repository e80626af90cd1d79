"""What `fit --budget` finds, beside each fixed method given the same time, on real tasks.

    python bench/race.py [--budget 3m] [--seeds 1] [--only TEXT] [--fixed probe,lp-ft]

Each seed draws other rows to learn from; all that share no group with them, 600 at most, are the test data, which
neither looks at. A fixed method is fitted on the same rows on each backbone with its defaults, cold as the race is
(no features cached), and counts if it ends within the budget. The difference is paired over the test rows: 95 % of
2,000 bootstrap resamples. At the end: the mean over the sets of race less plain probe (on the first backbone).

emoji       Twemoji, subcategories of 30 to 60 pictures, 25 of each to learn from; accuracy
sentences   of four domains, good or bad, 200 to learn from; accuracy
cars        auto-mpg, miles a gallon by the other columns, 200 to learn from; R2
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score
from timing import option
from tuning import drawn, pictures, sentences

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
from demo_data import _package

import headstart
from headstart import Roles, Transfer
from headstart.automl.candidates import BUNDLED
from headstart.automl.race.budget import seconds_of
from headstart.tasks import IMAGE, TEXT, kind_named
from headstart.tasks.task import Array

SEEDS, MOST, RESAMPLES, FEWEST = int(option("--seeds", "1")), 600, 2000, 30
BUDGET = option("--budget", "3m")
FIXED = option("--fixed", "probe,top,lp-ft").split(",")
DOMAINS = ("amazon", "movie", "nyt", "tweets")


class Task(NamedTuple):
    """A table with the columns of the inputs, "target" and "group", rows to learn from and to test on, and the names of
    the backbones; none for columns."""

    table: pd.DataFrame
    train: Array
    test: Array
    kind: str
    backbones: tuple[str, ...] = ()

    @property
    def inputs(self) -> list[str]:
        return [name for name in self.table if name not in ("target", "group")]

    def rows(self, some: Array) -> tuple[Any, Any, Any]:
        """(inputs, targets, groups)."""
        part = self.table.iloc[some]
        x = part[self.inputs[0]].tolist() if self.backbones else part[self.inputs]
        return x, part["target"].tolist(), part["group"].tolist()


def of_rows(
    inputs: list[str], labels: list[str], groups: list[int], count: int, seed: int, each: bool, modality: str
) -> Task:
    train, test = drawn(labels, groups, count, seed, each)
    test = np.random.default_rng(seed).permutation(test)[:MOST]
    table = pd.DataFrame({"input": inputs, "target": labels, "group": groups})
    return Task(table, train, test, "classification", BUNDLED[kind_of_input(modality)])


def kind_of_input(modality: str) -> Any:
    return IMAGE if modality == "image" else TEXT


def cars(seed: int) -> Task:
    frame = pd.read_csv(next(_package("bokeh_sampledata").rglob("auto-mpg.csv")))
    names = [name for name in frame if name not in ("mpg", "name")]
    table = frame[names].assign(target=frame["mpg"], group=frame["name"])
    names_drawn = np.random.default_rng(seed).permutation(table["group"].unique())
    order = np.concatenate([np.flatnonzero(table["group"] == name) for name in names_drawn])
    cut = 200 + int(np.argmax(table["group"].to_numpy()[order[200:]] != table["group"].to_numpy()[order[199]]))
    return Task(table, order[:cut], order[cut:], "regression")


def sets(folder: Path) -> Iterator[tuple[str, Callable[[int], Task]]]:
    for domain in DOMAINS:
        yield f"sentences, {domain}", lambda seed, domain=domain: of_rows(*sentences(domain), 200, seed, False, "text")  # type: ignore[misc]
    yield "cars", cars
    yield "emoji", lambda seed: of_rows(*pictures(folder / "emoji", FEWEST), 25, seed, True, "image")


class Fitted(NamedTuple):
    """Who answered what to the test rows, in how many seconds."""

    name: str
    answers: Array
    seconds: float


def raced(task: Task, seed: int) -> Fitted:
    began = time.monotonic()
    data, test = (task.table.iloc[some] for some in (task.train, task.test))
    roles = Roles(input=tuple(task.inputs), target="target", group="group")
    with tempfile.TemporaryDirectory() as folder:
        model = headstart.fit(
            data, test=test, budget=BUDGET, roles=roles, kind=kind_named(task.kind), seed=seed, goal=goal(task),
            race_folder=folder, cache=False,
        )  # fmt: skip
        model.save(Path(folder) / "model")
    took = time.monotonic() - began
    race = model.evidence_.facts.race
    sys.stderr.write(f"{model.evidence_}\n")
    return Fitted(f"{race.winner}, of {len(race.trials)}", np.asarray(model.predict(task.rows(task.test)[0])), took)


def goal(task: Task) -> str:
    return "r2" if task.kind == "regression" else "accuracy"


def fixed(task: Task, seed: int) -> Iterator[Fitted]:
    x, y, groups = task.rows(task.train)
    methods = FIXED if task.backbones else ["probe", "trees", "kernel", "boosting", "incontext"]
    for backbone in task.backbones or (None,):
        for method in methods:
            if method == "top" and backbone == "bundled:wordllama":
                continue  # it has one stage
            began = time.monotonic()
            model = Transfer(backbone, method, kind=task.kind, seed=seed, cache=False, goal=goal(task))
            model.fit(x, y, groups=groups)
            took = time.monotonic() - began
            yield Fitted(f"{method} on {backbone}", np.asarray(model.predict(task.rows(task.test)[0])), took)


def score(truth: Array, answers: Array, kind: str) -> float:
    return float(r2_score(truth, answers)) if kind == "regression" else float(np.mean(truth == answers))


def between(truth: Array, first: Array, second: Array, kind: str) -> tuple[float, float, float]:
    """first - second, and its 95 % interval."""
    rng, gains = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, len(truth), len(truth))
        gains.append(score(truth[rows], first[rows], kind) - score(truth[rows], second[rows], kind))
    low, high = np.quantile(gains, (0.025, 0.975))
    return score(truth, first, kind) - score(truth, second, kind), float(low), float(high)


def main() -> None:
    most, over_probe, level = seconds_of(BUDGET), [], 0
    sys.stdout.write("| data | race | kept | s | plain probe | best fixed in time | s | race less best fixed |\n")
    sys.stdout.write("|---|--:|---|--:|--:|---|--:|---|\n")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HEADSTART_CACHE"] = f"{folder}/cache"
        for name, made in sets(Path(folder)):
            if option("--only", "") not in name:
                continue
            for seed in range(SEEDS):
                task = made(seed)
                truth = np.asarray(task.rows(task.test)[1])
                ours, others = raced(task, seed), list(fixed(task, seed))
                scores = {other.name: score(truth, other.answers, task.kind) for other in others}
                for other in others:
                    sys.stderr.write(f"{name}: {other.name} {scores[other.name]:.3f} in {other.seconds:.0f} s\n")
                plain = others[0]
                best = max((o for o in others if o.seconds <= most), key=lambda o: scores[o.name], default=plain)
                gain, low, high = between(truth, ours.answers, best.answers, task.kind)
                over_probe.append(score(truth, ours.answers, task.kind) - scores[plain.name])
                level += high >= 0
                sys.stdout.write(
                    f"| {name} | {score(truth, ours.answers, task.kind):.3f} | {ours.name} | {ours.seconds:.0f} | "
                    f"{scores[plain.name]:.3f} | {best.name} {scores[best.name]:.3f} | {best.seconds:.0f} | "
                    f"{gain:+.3f} [{low:+.3f}, {high:+.3f}] |\n"
                )
                sys.stdout.flush()
    sys.stdout.write(
        f"race less plain probe: {np.mean(over_probe):+.3f} on the mean of {len(over_probe)}; "
        f"not worse than the best fixed method within its interval: {level} of {len(over_probe)}\n"
    )


if __name__ == "__main__":
    main()
