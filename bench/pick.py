"""What picking a backbone on the rows to learn from is worth: `fit DATA` beside the default backbone, on real tasks.

    OMP_NUM_THREADS=1 python bench/pick.py [--cases TEXT] [--rows 200,400] [--draws 8]

The tasks are those of bench/rank.py. Each draw takes so many rows to learn from (groups whole), on which the choice is
made; all others are tested. Printed by case: the accuracy (of ratings R2) of a logistic probe (a ridge) on the default
backbone, on that which is picked and on the best of the candidates, a mean over draws; how often another than the
default was picked, and how often that was worse. At the end: means over cases for other margins, in standard errors.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np
from rank_data import CASES
from threadpoolctl import threadpool_limits
from timing import option

from headstart import Transfer
from headstart.automl.pick import Picker
from headstart.backbones.load import load
from headstart.features.cache.cache import Cache
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.listener import Logged
from headstart.study.backbone_choice import Choice
from headstart.tasks.task import Array

ROWS = [int(number) for number in option("--rows", "200,400").split(",")]
DRAWS, MARGINS = int(option("--draws", "8")), (0.0, 0.5, 1.0, 1.5, 2.0)


class Draw(NamedTuple):
    """The choice, and the truth by candidate."""

    choice: Choice
    truth: Array


def drawn(view: FeatureSet, count: int, seed: int) -> tuple[Array, Array]:
    """Rows to learn from, whole blocks, and all others."""
    blocks = view.blocks
    order = np.random.default_rng(seed).permutation(np.unique(blocks))
    place = np.argsort(order)[np.searchsorted(np.unique(blocks), blocks)]
    rows = np.argsort(place, kind="stable")
    cut = count + int(np.argmax(place[rows[count:]] != place[rows[count - 1]]))
    return np.sort(rows[:cut]), np.sort(rows[cut:])


def reached(view: FeatureSet, train: Array, test: Array) -> float:
    """Accuracy or R2 of a logistic probe, or of a ridge."""
    values, task = np.asarray(view.values), view.task
    targets = np.asarray(task.targets)
    head = "logistic" if task.kind.has_classes else "ridge"
    model = Transfer(None, head, kind=str(task.kind), goal="accuracy" if task.kind.has_classes else None)
    return model.fit(values[train], targets[train], groups=view.blocks[train]).score(values[test], targets[test])


def main() -> None:
    sys.stdout.write("| case | rows | default | picked | best | another picked | worse |\n")
    sys.stdout.write("|---|--:|--:|--:|--:|--:|--:|\n")
    draws: list[Draw] = []
    extraction, picker = Extraction(cache=Cache(), thumbs=False), Picker()
    with threadpool_limits(1):
        for name, (made, _) in CASES.items():
            if option("--cases", "") not in name:
                continue
            task = made()
            views = [look(task, load(each), extraction, Logged()) for each in picker.names(task.modality)]
            for count in ROWS:
                draws += report(name, count, views, picker)
    for margin in MARGINS:
        gains = np.array([draw.truth[taken(draw.choice, margin)] - draw.truth[0] for draw in draws])
        sys.stdout.write(
            f"margin {margin:.1f}: gain {gains.mean():+.4f} on the mean of {len(gains)} draws, another picked in "
            f"{np.mean([taken(draw.choice, margin) > 0 for draw in draws]):.0%}, worse by over .01 in "
            f"{np.mean(gains < -0.01):.0%}, at worst {gains.min():+.3f}\n"
        )


def report(name: str, count: int, views: list[FeatureSet], picker: Picker) -> list[Draw]:
    draws = []
    for seed in range(DRAWS):
        train, test = drawn(views[0], count, seed)
        choice = picker.choose([view.take(train) for view in views])
        draws.append(Draw(choice, np.array([reached(view, train, test) for view in views])))
    truth = np.mean([draw.truth for draw in draws], axis=0)
    own = np.array([draw.truth[draw.choice.taken] for draw in draws])
    other = [draw.choice.taken > 0 for draw in draws]
    worse = [draw.truth[draw.choice.taken] < draw.truth[0] for draw in draws]
    sys.stdout.write(
        f"| {name} | {count} | {truth[0]:.3f} | {own.mean():.3f} | {truth.max():.3f} | {sum(other)}/{DRAWS} | "
        f"{sum(worse)} |\n"
    )
    sys.stdout.flush()
    return draws


def taken(choice: Choice, margin: float) -> int:
    """Which would be taken with another margin."""
    better = [number for number, gain in enumerate(choice.gains) if number and gain > margin * choice.errors[number]]
    return max(better, key=lambda number: choice.gains[number], default=0)


if __name__ == "__main__":
    main()
