"""What episodes are drawn from: the rows of a task whose classes, or small tasks, have enough, divided in three."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd

from headstart.errors import DataError
from headstart.features.feature_set import FeatureSet
from headstart.meta_learning.episodes import enough_blocks
from headstart.meta_learning.sides import Least, Units, divide
from headstart.tasks.task import Array

__all__ = ["Material"]


class Material:
    """Of rows whose targets are known.

    targets  (N,) codes of classes, or values in units of their spread in meta-training, which is `unit`
    tasks    (N,) the small task of each row, None where all are of one
    codes    (N,) from 0 up, which class of the classes to meta-train on a row is of, of which small task; 0 for others
    noun     what is divided: "classes" or "tasks"
    names    of meta-training, validation and test
    """

    def __init__(self, feature_set: FeatureSet, *, way: int, shot: int, trains: bool, seed: int) -> None:
        task, kind = feature_set.task, feature_set.task.kind
        self.targets = np.asarray(task.targets) if kind.has_classes else np.asarray(task.targets, np.float64)
        self.tasks, labels = _small_tasks(task.domain)
        self.noun = "classes" if self.tasks is None else "tasks"
        ways = way if kind.has_classes else 1
        if self.tasks is None:
            able = _able(self.targets, feature_set.blocks, shot)
            units, labels = self.targets, [str(label) for label in task.classes]
            least = Least(way, trains)
        else:
            able = _able_tasks(self.tasks, self.targets if kind.has_classes else None, feature_set.blocks, shot, ways)
            units, least = self.tasks, Least(1, trains)
        self._require(able, ways, shot)
        codes = np.where(np.isin(units, able), units, -1)
        left = len(np.unique(units[units >= 0])) - len(able)
        self.sides = divide(
            Units(codes, labels, self.noun), feature_set.keys, feature_set.blocks, task.group, least, seed=seed
        )
        train, validation, test = (tuple(labels[code] for code in side) for side in self.sides.units)
        self.names = (train, validation, test)
        few = f"{left} {self.noun} left out: fewer than {shot + 1} different rows" + (
            "" if self.tasks is None else f" of {ways} classes" if kind.has_classes else ""
        )
        self.notes = (*([few] if left else []), *self.sides.notes)
        self.codes = self._coded(kind.has_classes)
        self.unit = 1.0
        if not kind.has_classes:
            training_targets = self.targets[self.sides.train]
            self.unit = float(training_targets.std()) or 1.0
            self.targets = (self.targets - training_targets.mean()) / self.unit

    def _coded(self, has_classes: bool) -> Array:
        codes = np.zeros(len(self.targets), np.int64)
        if has_classes:
            of_task = np.zeros(len(codes), np.int64) if self.tasks is None else self.tasks
            pairs = of_task * (1 + int(self.targets.max(initial=0))) + self.targets
            train = self.sides.train
            codes[train] = pd.factorize(pairs[train])[0]
        return codes

    def _require(self, able: Sequence[int], ways: int, shot: int) -> None:
        if not len(able):
            classes = f" of {ways} classes" if self.tasks is not None and ways > 1 else ""
            raise DataError(
                f"none of the {self.noun} has {shot + 1} different rows{classes}, which {shot}-shot episodes take: "
                "name a smaller shot, or add rows"
            )


def _small_tasks(domain: Array | None) -> tuple[Array | None, list[str]]:
    """The code of the small task of each row, in the order of their labels; None where there are none."""
    if domain is None:
        return None, []
    codes, labels = pd.factorize(np.asarray(domain, dtype=object), sort=False)
    order = sorted(range(len(labels)), key=lambda code: str(labels[code]))
    place = np.empty(len(labels) + 1, np.int64)
    place[order], place[-1] = np.arange(len(labels)), -1
    return place[codes], [str(labels[code]) for code in order]


def _able(units: Array, block: Array, shot: int) -> list[int]:
    """The units of at least shot + 1 rows of different blocks."""
    return [int(code) for code in np.unique(units) if code >= 0 and enough_blocks(block[units == code], shot)]


def _able_tasks(tasks: Array, classes: Array | None, block: Array, shot: int, ways: int) -> list[int]:
    """The small tasks of which an episode can be made."""
    able = []
    for code in cast("list[int]", np.unique(tasks[tasks >= 0]).tolist()):
        rows = np.flatnonzero(tasks == code)
        units = np.zeros(len(rows), np.int64) if classes is None else classes[rows]
        if len(_able(units, block[rows], shot)) >= ways:
            able.append(code)
    return able
