"""Does ranking find the backbone that serves best? Real tasks, bundled backbones, their layers, random weights.

    OMP_NUM_THREADS=1 python bench/rank.py [--cases NAME ...] [--splits 3] [--truths 8] [--rows 400] [--tuned]

For each case and split: `rows` rows to learn from (groups whole), all others to test on. The truth of a candidate is
what a logistic probe (for values a ridge) on its features reaches on the test rows, by accuracy or R2, as a mean over
`truths` splits, of which the scores see the first; with --tuned what the method `top` reaches, for five of the
candidates and one split. Printed, as Markdown:

    1. weighted Kendall tau (Shieh, 1998; Vigna, 2015) of each score, on the rows to learn from, and the truth
    2. how far below the best candidate that is which each score, and `rank`, puts first: a mean over the splits; also
       accuracy instead of likelihood of the rows left out, and the mean of the places that leave-one-out and LogME give
Goal: what `rank` puts first is within .02 of the best in 7 cases of 8.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from rank_data import CASES, LITE, MINILM, MOBILE, PICTURES, RANDOM, TEXTS
from scipy.stats import rankdata, weightedtau
from threadpoolctl import threadpool_limits

from headstart import Transfer
from headstart.automl import decompose, rank, transferability
from headstart.automl.candidates import trunks_for
from headstart.automl.checks import truth_of
from headstart.automl.leave_one_out import left_out
from headstart.automl.measures import RANKING
from headstart.automl.passes import Pass, candidates_of
from headstart.automl.scores import SCORES
from headstart.features.cache.cache import Cache
from headstart.features.extraction import Extraction
from headstart.heads.ridge import Ridge
from headstart.heads.standardize import standard
from headstart.listener import Logged
from headstart.tasks.task import Array, Task

CLOSE = 0.02
ACCURACY, BOTH = "left-out accuracy", "leave-one-out and logme"
WAYS = (*RANKING, ACCURACY, BOTH)
TUNED = {
    PICTURES: (MOBILE, f"{MOBILE}@4", f"{MOBILE}@6", LITE, MOBILE + RANDOM),
    TEXTS: (MINILM, f"{MINILM}@2", f"{MINILM}@4", f"{MINILM}@max", MINILM + RANDOM),
}
"""Of the candidates of a case, those that are tuned."""


class Outcome(NamedTuple):
    """Of a case: truth by candidate; per score its values by candidate (splits, candidates); what `rank` put first."""

    names: list[str]
    truth: Array
    scores: dict[str, Array]
    chosen: list[str]
    level: list[int]


def extraction() -> Extraction:
    return Extraction(engine="torch", cache=Cache(), lanes=1, thumbs=False)


def features_of(task: Task, names: tuple[str, ...]) -> tuple[list[int], dict[str, Array]]:
    """Rows that can be read, and (N, D) by candidate; copies are left out."""
    trunks, _ = trunks_for(task.modality, names)
    passes = [Pass(trunk, candidates_of(trunk), task, extraction(), Logged()) for trunk in trunks]
    for each in passes:
        each.grow(np.arange(len(task)))
    rows = [row for row in passes[0].keys if all(row in each.keys for each in passes)]
    candidates = [candidate for each in passes for candidate in each.candidates]
    return rows, {c.name: np.stack([c.rows[row] for row in rows]) for c in candidates}


def learners(task: Task, rows: int, seed: int) -> Array:
    """(N,) bool: the rows to learn from, whole groups."""
    groups = np.arange(len(task)) if task.group is None else np.unique(np.asarray(task.group), return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(groups.max() + 1)
    sizes = np.bincount(groups)[order]
    return np.isin(groups, order[: int(np.searchsorted(np.cumsum(sizes), rows)) + 1])


def probed(task: Task, features: Array, learn: Array, seed: int) -> float:
    """Accuracy, or R2, on the other rows."""
    targets = np.asarray(task.targets)
    groups = None if task.group is None else np.asarray(task.group)[learn]
    head = "logistic" if task.kind.has_classes else "ridge"
    model = Transfer(None, head, kind=task.kind, seed=seed).fit(features[learn], targets[learn], groups=groups)
    return reached(task, model.predict(features[~learn]), targets[~learn])


def reached(task: Task, answers: Array, targets: Array) -> float:
    if task.kind.has_classes:
        return float(np.mean(answers == targets))
    return float(1 - np.mean(np.square(answers - targets)) / np.var(targets))


def tuned(task: Task, name: str, learn: Array) -> float:
    """Of the method `top` on the backbone of this name."""
    inputs, targets = list(task.inputs), np.asarray(task.targets)
    model = Transfer(name, "top", kind=task.kind, options={"epochs": "8"})
    model.fit([inputs[row] for row in np.flatnonzero(learn)], targets[learn])
    return reached(task, model.predict([inputs[row] for row in np.flatnonzero(~learn)]), targets[~learn])


def scored(score: str, task: Task, features: Array, learn: Array) -> float:
    """On the rows to learn from, scaled as `rank` scales them; the worst there is where it is not defined."""
    if score == ACCURACY:
        return accuracy_left_out(task, features, learn)
    value = transferability(score, scaled_rows(features[learn]), np.asarray(task.targets)[learn], kind=task.kind)
    return value if np.isfinite(value) else -1e300


def accuracy_left_out(task: Task, features: Array, learn: Array) -> float:
    """Of the rows to learn from, answered by a ridge on the others, at the best strength."""
    parts = decompose(scaled_rows(features[learn]))
    truth = truth_of(np.asarray(task.targets)[learn], len(parts), task.kind)
    strengths = [strength * float(parts.squares.mean()) for strength in Ridge().strengths]
    answers = left_out(parts, truth, strengths, task.kind)
    return max(float((each.argmax(1) == truth.argmax(1)).mean()) for each in answers)


def scaled_rows(values: Array) -> Array:
    return np.asarray(standard(values, np.arange(len(values)), np.ones(len(values)), "shared").apply(values))


def outcome(case: str, splits: int, truths: int, rows: int) -> Outcome:
    make, names = CASES[case]
    task = make()
    readable, features = features_of(task, names)
    task = task.take(np.array(readable))
    kinds = [score for score in RANKING if task.kind in SCORES[score].kinds]
    kinds += [ACCURACY] if task.kind.has_classes else []
    truth, scores, chosen, level = [], {score: [] for score in kinds}, [], []
    for seed in range(max(splits, truths)):
        learn = learners(task, rows, seed)
        if seed < truths:
            truth.append([probed(task, values, learn, seed) for values in features.values()])
        if seed >= splits:
            continue
        for score in kinds:
            scores[score].append([scored(score, task, values, learn) for values in features.values()])
        split = np.where(learn, "train", "test")
        ranking = rank(replace(task, split=split), list(features), seed=seed, extraction=extraction())
        chosen.append(ranking.winner)
        level.append(len(ranking.level))
    arrays = {score: np.array(values) for score, values in scores.items()}
    arrays[BOTH] = -(rankdata(-arrays["leave-one-out"], axis=1) + rankdata(-arrays["logme"], axis=1))
    return Outcome(list(features), np.mean(truth, axis=0), arrays, chosen, level)


def tau(truth: Array, scores: Array) -> float:
    """The mean over the splits of the weighted Kendall tau of scores (splits, candidates) and the truth."""
    return float(np.mean([weightedtau(truth, row).statistic for row in scores]))


def below(truth: Array, firsts: list[int]) -> float:
    """How far below the best, as a mean over the splits."""
    return float(np.mean([truth.max() - truth[first] for first in firsts]))


def show(cells: list[str]) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def tables(outcomes: dict[str, Outcome]) -> None:
    show(["case", "best", "of", *WAYS])
    show(["---", "---", *["--:"] * (1 + len(WAYS))])
    for case, each in outcomes.items():
        best = each.names[int(each.truth.argmax())]
        taus = [f"{tau(each.truth, each.scores[score]):.2f}" if score in each.scores else "" for score in WAYS]
        show([case, best.removeprefix("bundled:"), f"{each.truth.max():.3f}", *taus])
    sys.stdout.write("\n")
    show(["case", "`rank`", "puts first", "level with it", *WAYS])
    show(["---", "--:", "---", *["--:"] * (1 + len(WAYS))])
    for case, each in outcomes.items():
        apart = below(each.truth, [each.names.index(name) for name in each.chosen])
        often = max(set(each.chosen), key=each.chosen.count).removeprefix("bundled:")
        others = [
            f"{below(each.truth, each.scores[score].argmax(1).tolist()):.3f}" if score in each.scores else ""
            for score in WAYS
        ]
        times = f"{often} {each.chosen.count('bundled:' + often)}/{len(each.chosen)}"
        show([case, f"{apart:.3f}", times, f"{np.mean(each.level):.1f}", *others])
    apart = [below(each.truth, [each.names.index(name) for name in each.chosen]) for each in outcomes.values()]
    close = sum(value <= CLOSE for value in apart)
    sys.stdout.write(f"\n`rank` within {CLOSE} of the best: {close} of {len(apart)} cases\n")


def tuned_table(cases: list[str], rows: int) -> None:
    """By candidate what `top` reaches; then by case the weighted Kendall tau of that and each score and the probe."""
    show(["case", "candidate", "leave-one-out", "logme", "probe", "top"])
    show(["---", "---", "--:", "--:", "--:", "--:"])
    taus = {case: tuned_case(case, rows) for case in cases}
    sys.stdout.write("\n")
    show(["case", "leave-one-out", "logme", "probe", "the best by `top` and the first by leave-one-out: `top`"])
    show(["---", "--:", "--:", "--:", "--:"])
    for case, figures in taus.items():
        show([case, *figures])


def tuned_case(case: str, rows: int) -> list[str]:
    """Shows the candidates of a case; the tau of leave-one-out, of LogME and of the probe, and how far the first is."""
    make, candidates = CASES[case]
    task, names = make(), TUNED[candidates]
    readable, features = features_of(task, names)
    task = task.take(np.array(readable))
    learn = learners(task, rows, 0)
    reached_by = []
    for name, values in features.items():
        scores = [scored(score, task, values, learn) for score in ("leave-one-out", "logme")]
        reached_by.append([*scores, probed(task, values, learn, 0), tuned(task, name, learn)])
        show([case, name.removeprefix("bundled:"), *(f"{figure:.3f}" for figure in reached_by[-1])])
    *scored_by, top = np.array(reached_by).T
    taus = [f"{weightedtau(top, scores).statistic:.2f}" for scores in scored_by]
    return [*taus, f"{top.max():.3f}, {top[scored_by[0].argmax()]:.3f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--truths", type=int, default=8)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--tuned", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        if args.tuned:
            tuned_table(args.cases, args.rows)
            return
        outcomes: dict[str, Outcome] = {}
        for case in args.cases:
            began = time.perf_counter()
            outcomes[case] = outcome(case, args.splits, args.truths, args.rows)
            each = outcomes[case]
            listed = ", ".join(f"{name} {value:.3f}" for name, value in zip(each.names, each.truth, strict=True))
            sys.stderr.write(f"{case}: {listed}; chosen {each.chosen}; {time.perf_counter() - began:.0f} s\n")
        tables(outcomes)


if __name__ == "__main__":
    main()
