"""Does what `headstart curve` foretells from half the labels come true? Real pictures, sentences, digits and tables.

    OMP_NUM_THREADS=1 python bench/curve.py [--seeds 3] [--tasks "auto-mpg" ...]

Three rows in ten are set apart, whole groups together. The curve is drawn from half of the others as `headstart.curve`
does, with held-out rows of its own, and foretells the score with twice as many to learn from. Then the same method
learns from twice as many, the first half of them the same, and is scored on the rows set apart. Prints in Markdown, of
each task, the errors (1 - score) that were foretold and came true, mean over the seeds, and in how many cases the true
one lies in its interval; the same for the gain. At the end the share of all cases, and how that came about: the
interval with one source of error after the other (`learning_curves/extrapolation.py`), with its mean width, and the
mean absolute error of what was foretold beside that of saying "as now" ("off by", "as now"). What came true is itself
measured on so many rows: "inside*" allows for that, the interval being widened by 1.96 of its standard errors (paired
for gains, bootstrap).
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from curve_data import BACKBONES, TASKS

from headstart.automl.learning_curves.extrapolation import STARTS, Extrapolation, extrapolate
from headstart.automl.learning_curves.measure import Design, Errors, error_of, measure
from headstart.automl.learning_curves.protocol import study_of
from headstart.automl.learning_curves.spread import Spread, spread_of
from headstart.automl.learning_curves.subsamples import nested_order
from headstart.backbones.load import load
from headstart.data.goals import goal_of
from headstart.data.splits.split import split
from headstart.evidence.assess import NO_TRANSFER
from headstart.evidence.bootstrap import bootstrap
from headstart.evidence.intervals import Interval
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.listener import Logged
from headstart.methods.plan import Plan
from headstart.study.candidates import TaskCandidate
from headstart.study.comparison import held_out_of
from headstart.study.contenders import contenders_of
from headstart.tasks.goal import Answers, Goal

APART = 0.3
NONE = Spread(0.0)


class Came(NamedTuple):
    """What came true, and its standard error."""

    value: float
    noise: float

    def inside(self, interval: Interval, *, allowing: bool = False) -> bool:
        room = 1.96 * self.noise if allowing else 0.0
        low = interval.value - np.hypot(interval.value - interval.low, room)
        high = interval.value + np.hypot(interval.high - interval.value, room)
        return bool(low <= self.value <= high)


class Case(NamedTuple):
    """One model on one task by one seed: what was measured of half; on the rows set apart its error after learning from
    twice as many rows as the largest size, and how much less that is than after learning from the largest size."""

    task: str
    model: str
    errors: Errors
    design: Design
    number: int
    seed: int
    error: Came
    gain: Came

    def foretold(self, parts: int) -> tuple[Extrapolation, Interval, Interval] | None:
        """With the first so many sources of error beside test rows and draws: new rows, pool, start; None without a
        law."""
        spread = spread_of(self.errors, self.design)
        starts = STARTS if parts > 2 else 1
        made = extrapolate(
            self.errors,
            self.design,
            model=self.number,
            seed=self.seed,
            spread=spread if parts > 1 else NONE,
            starts=starts,
        )
        if made.law is None:
            return None
        twice = 2 * self.design.sizes[-1]
        return made, *made._replace(spread=spread if parts else NONE).foretold(twice, self.seed)


def contenders(rows: FeatureSet, backbone: Any, how: Any, seed: int, goal: Goal) -> dict[str, Callable[..., Answers]]:
    plan = Plan("probe", None, seed, {}, control=False, goal=goal)
    others = dict(contenders_of(rows, backbone, plan, *how))
    return {"probe": TaskCandidate(rows, backbone, plan, how).contend, NO_TRANSFER: others[NO_TRANSFER]}


def cases(name: str, seeds: int) -> Iterator[Case]:
    task = TASKS[name]()
    backbone = load(BACKBONES[task.modality]) if task.modality in BACKBONES else None
    how = (Extraction(cache=Cache(), lanes=1), Logged())
    rows = look(task, backbone, *how)
    for seed in range(seeds):
        pool, apart = split(task.targets, task.kind, rows.blocks, rows.keys, test=APART, seed=seed)
        order = pool[nested_order(rows.take(pool), f"half {seed}")]
        half, rest = np.sort(order[: len(order) // 2]), order[len(order) // 2 :]
        goal = goal_of(None, rows.task)
        study = study_of(rows.take(half), sizes=None, draws=None, goal=goal, seed=seed)
        errors = measure(study, contenders(study.rows, backbone, how, seed, goal), Logged())
        now = half[study.draws[0].trials[0].train][: study.sizes[-1]]
        twice = np.concatenate([now, rest[: len(now)]])
        for number, (model, contender) in enumerate(contenders(rows, backbone, how, seed, goal).items()):
            answers = {str(len(learnt)): contender(None, np.sort(learnt), apart) for learnt in (now, twice)}
            came = came_true(rows.take(apart), answers, goal)
            yield Case(name, model, errors[model], study.design, number, seed, *came)


def came_true(rows: FeatureSet, answers: dict[str, Answers], goal: Goal) -> tuple[Came, Came]:
    """Of the answers before and after, the error after, and the gain."""
    before, after = bootstrap(held_out_of(rows, goal), answers).values()
    metric = goal.metric
    values = [error_of(metric, np.asarray(of.value[metric])) for of in (before, after)]
    resampled = [error_of(metric, of.resampled[metric]) for of in (before, after)]
    gain = Came(float(values[0] - values[1]), float(np.nanstd(resampled[0] - resampled[1])))
    return Came(float(values[1]), float(np.nanstd(resampled[1]))), gain


def show(name: str, of_model: dict[str, list[Case]]) -> None:
    for model, all_cases in of_model.items():
        foretold = [(case, case.foretold(3)) for case in all_cases]
        laws = [(case, *said[1:]) for case, said in foretold if said is not None]
        sizes = all_cases[0].design.sizes
        if not laws:
            print(f"| {name} | {model} | {sizes[-1]} | | no law | | | |", flush=True)
            continue
        now = np.mean([case.errors.value[:, -1].mean() for case, *_ in laws])
        value, low, high = np.mean([error for _, error, _ in laws], axis=0)
        truth = np.mean([case.error.value for case, *_ in laws])
        came = sum(case.error.inside(error) for case, error, _ in laws)
        gained = sum(case.gain.inside(gain) for case, _, gain in laws)
        print(
            f"| {name} | {model} | {sizes[-1]} | {now:.3f} | {value:.3f} [{low:.3f}, {high:.3f}] | {truth:.3f} "
            f"| {came} of {len(laws)} | {gained} of {len(laws)} |",
            flush=True,
        )


def show_parts(all_cases: list[Case]) -> None:
    named = ("interval with", "cases", *("inside", "inside*", "width", "off by", "as now") * 2)
    print("\nof errors, then of gains\n")
    print(f"| {' | '.join(named)} |\n|---{'|--:' * (len(named) - 1)}|")
    for parts, what in enumerate(("test rows and draws", "+ new rows", "+ pool", "+ start")):
        said = [(case, made) for case in all_cases if (made := case.foretold(parts)) is not None]
        errors = [(case.error, error) for case, (_, error, _) in said]
        gains = [(case.gain, gain) for case, (_, _, gain) in said]
        figures = [len(said)]
        as_now = [case.errors.value[:, -1].mean() for case, _ in said]
        for pairs, unchanged in ((errors, as_now), (gains, np.zeros(len(said)))):
            shares = [
                np.mean([came.inside(interval, allowing=more) for came, interval in pairs]) for more in (False, True)
            ]
            width = np.mean([interval.high - interval.low for _, interval in pairs])
            off = np.mean([abs(came.value - interval.value) for came, interval in pairs])
            moved = np.mean([abs(came.value - now) for (came, _), now in zip(pairs, unchanged, strict=True)])
            figures += [f"{shares[0]:.3f}", f"{shares[1]:.3f}", f"{width:.3f}", f"{off:.4f}", f"{moved:.4f}"]
        print(f"| {what} | {' | '.join(map(str, figures))} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", nargs="*", default=list(TASKS))
    asked = parser.parse_args()
    print("| task | model | labels | error now | foretold of twice | came true | inside | gain inside |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    all_cases: list[Case] = []
    for name in asked.tasks:
        of_model: dict[str, list[Case]] = defaultdict(list)
        for case in cases(name, asked.seeds):
            of_model[case.model].append(case)
            all_cases.append(case)
        show(name, of_model)
    show_parts(all_cases)
    unfit = [why for case in all_cases if (why := extrapolate(case.errors, case.design, model=0, seed=0).why)]
    for why in sorted(set(unfit)):
        print(f"no law, {unfit.count(why)} of {len(all_cases)}: {why}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
