"""Explanations of real pictures and texts: deletion curves against random orders, and maps of random weights.

    python bench/explain.py [pictures] [texts] [--rows 100] [--ways grad-cam,occlusion] [--seed 0]
        [--deletion-only]

Pictures: Twemoji in all kinds of at least 25, efficientnet-lite0. Texts: amazon sentences, MiniLM, and averaged word
vectors. Each is fitted without the rows that are explained. A row counts as better where the area under its deletion
curve is below the mean of five random orders of the same parts; the interval is Wilson's (1927), at 95 %.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from material import demo_data
from scipy.stats import binomtest

import headstart as hs
from headstart.data.read import read
from headstart.explanations.deletion import deletion
from headstart.explanations.explain import case_of
from headstart.explanations.question import question_of
from headstart.explanations.randomisation import randomisation
from headstart.tasks.task import Task

LIMIT = 0.8
TASKS = {
    "pictures": ("bundled:efficientnet-lite0", ("grad-cam", "integrated-gradients", "occlusion")),
    "texts": ("bundled:minilm", ("integrated-gradients", "occlusion")),
    "word vectors": ("bundled:wordllama", ("integrated-gradients", "occlusion")),
}


class Row(NamedTuple):
    """Of one input by one way: the area under its curve, those of random orders, rank correlations, seconds."""

    area: float
    random: float
    head: float
    all: float
    seconds: float


def material(task: str, folder: Path, rows: int, seed: int) -> tuple[Task, Any]:
    """The task that is fitted, and the inputs that are explained, in an order of chance."""
    if task == "pictures":
        demo_data.emoji_folder(folder / "emoji", at_least=25, train=20)
        data, new = read(str(folder / "emoji" / "train")), read(str(folder / "emoji" / "test"))
    else:
        file = demo_data.sentiment_csv(folder / "amazon.csv", train=400, test=1000)
        whole = read(str(file))
        split = np.asarray(whole.split)
        data, new = whole.take(np.flatnonzero(split == "train")), whole.take(np.flatnonzero(split == "test"))
    some = np.random.default_rng(seed).permutation(len(new))[:rows]
    return data, new.take(some).inputs


def measured(model: hs.Transfer, item: Any, way: str, seed: int, *, random: bool) -> Row:
    """One row; `random`: whether the map is made with random weights too."""
    fitted, extraction = model.model_, model.extraction(model.model_.engine)
    case = case_of(fitted, item, extraction)
    predictions = case.ask(np.ones((1, len(case.parts)), bool))
    decided = fitted.head.decide(predictions)[0]
    question = question_of(fitted.kind, predictions[0], decided, fitted.classes, None, None)
    start = time.perf_counter()
    values = case.ways[way](question).values
    seconds = time.perf_counter() - start
    curve = deletion(case, question, values, seed=seed)
    if not random:
        return Row(curve.area, float(curve.random_areas.mean()), np.nan, np.nan, seconds)
    maps = randomisation(fitted, lambda other: case_of(other, item, extraction).ways[way](question), values, seed=seed)
    whole = np.nan if maps.all is None else maps.all
    return Row(curve.area, float(curve.random_areas.mean()), maps.head, whole, seconds)


def line(task: str, way: str, rows: list[Row]) -> str:
    """In one line."""
    better = sum(row.area < row.random for row in rows)
    low, high = binomtest(better, len(rows)).proportion_ci(method="wilson")
    areas, alike = (np.array([row[:2] for row in rows]).mean(0), np.array([row[2:4] for row in rows]).mean(0))
    return (
        f"{task:<12} {way:<21} {better:>4} of {len(rows):<4} {better / len(rows):.2f} ({low:.2f} to {high:.2f})   "
        f"{areas[0]:.3f} {areas[1]:.3f}   {alike[0]:+.2f} {alike[1]:+.2f}   "
        f"{np.median([row.seconds for row in rows]):.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tasks", nargs="*", default=[], help="pictures, texts, 'word vectors'; none: all")
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--ways", default="")
    parser.add_argument("--seed", type=int, default=0, help="of which rows are explained")
    parser.add_argument("--deletion-only", action="store_true")
    asked = parser.parse_args()
    sys.stdout.write(
        "task         way                   better than random (95 %)        area  random  random head, all  seconds\n"
    )
    for task in asked.tasks or TASKS:
        backbone, ways = TASKS[task]
        with TemporaryDirectory() as folder:
            data, inputs = material(task, Path(folder), asked.rows, asked.seed)
            model = hs.Transfer(backbone).fit(list(data.inputs), [data.classes[code] for code in data.targets])
            for way in asked.ways.split(",") if asked.ways else ways:
                rows: list[Row] = []
                for seed, item in enumerate(inputs):
                    rows.append(measured(model, item, way, seed, random=not asked.deletion_only))
                    sys.stderr.write(f"{task}, {way}: {sum(row.area < row.random for row in rows)} of {len(rows)}\n")
                sys.stdout.write(line(task, way, rows) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
