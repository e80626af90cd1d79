"""Episodes (Vinyals et al., 2016): small tasks drawn from a large one, a few labelled rows and others to answer.

An N-way K-shot episode has N classes, K rows of each to learn from (the support) and up to `query` others of each to
answer. Of many small tasks, one is drawn first. An episode of a regression is one small task: K rows, and others.
Duplicates and rows of a group are not both in an episode. Everything is drawn from (seed, stream, number).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from headstart.errors import DataError
from headstart.tasks.task import Array, Kind

__all__ = ["TEST_STREAM", "TRAIN_STREAM", "VALIDATION_STREAM", "Episode", "Sampler", "Shape", "enough_blocks"]

TRAIN_STREAM, VALIDATION_STREAM, TEST_STREAM = 11, 12, 13
_TRIES = 100


class Shape(NamedTuple):
    """N ways, K shots, and how many rows of each class are asked at most."""

    way: int
    shot: int
    query: int


class Episode(NamedTuple):
    """Row numbers of the support (S,) and the query (Q,), and their targets: classes from 0 to way - 1, or values."""

    support: Array
    query: Array
    support_targets: Array
    query_targets: Array
    way: int


class Sampler:
    """Draws episodes of some rows of a task.

    rows     (R,) numbers of the rows to draw from, ordered by content: what is drawn depends on their order
    targets  (N,) codes of classes, or values; block (N,) rows of one number are not both in an episode
    tasks    (N,) the small task of each row; None where all are of one
    kind     of the task: whether targets are classes
    """

    def __init__(self, rows: Array, targets: Array, block: Array, tasks: Array | None, kind: Kind) -> None:
        self.targets, self.block, self.kind = targets, block, kind
        of_task = np.zeros(len(targets), np.int64) if tasks is None else tasks
        self.pools: list[list[Array]] = []
        for task in np.unique(of_task[rows]):
            inside = rows[of_task[rows] == task]
            if kind.has_classes:
                self.pools.append([inside[targets[inside] == code] for code in _as_met(targets[inside])])
            else:
                self.pools.append([inside])

    def draw(self, shape: Shape, *, seed: int, stream: int, number: int) -> Episode:
        """One episode. Raises DataError where no pool has classes and rows enough."""
        rng = np.random.default_rng((seed, stream, shape.way, shape.shot, number))
        ways = shape.way if self.kind.has_classes else 1
        pools = [pool for pool in self.pools if self._able(pool, shape) >= ways]
        if not pools:
            raise DataError(self._short(shape, ways))
        for _ in range(_TRIES):
            pool = pools[int(rng.integers(len(pools)))]
            able = [rows for rows in pool if enough_blocks(self.block[rows], shape.shot)]
            classes = [able[place] for place in rng.choice(len(able), ways, replace=False)]
            drawn = self._rows(classes, shape, rng)
            if drawn is not None:
                return self._episode(drawn, shape.shot, ways)
        raise DataError(
            f"no {ways}-way {shape.shot}-shot episode in {_TRIES} draws has classes that share no group: name a "
            "smaller way or shot"
        )

    def several(self, shape: Shape, count: int, *, seed: int, stream: int) -> Iterator[Episode]:
        """Episodes 0 to count - 1."""
        return (self.draw(shape, seed=seed, stream=stream, number=number) for number in range(count))

    def _able(self, pool: list[Array], shape: Shape) -> int:
        return sum(enough_blocks(self.block[rows], shape.shot) for rows in pool)

    def _rows(self, classes: list[Array], shape: Shape, rng: np.random.Generator) -> list[Array] | None:
        """Of each class, rows of different blocks, as many of each; None where the classes share too many blocks.

        Where they share so many that a class is left with none, fewer of each are asked.
        """
        orders = [rng.permutation(rows) for rows in classes]
        query = shape.query
        while query:
            drawn = self._apart(orders, shape.shot, query)
            if drawn is not None:
                shortest = min(map(len, drawn))
                return [rows[:shortest] for rows in drawn]
            query //= 2
        return None

    def _apart(self, orders: list[Array], shot: int, query: int) -> list[Array] | None:
        """The first rows of each order whose blocks no row before them has; None where those are too few."""
        used: set[int] = set()
        drawn = []
        for order in orders:
            blocks = self.block[order]
            first = np.sort(np.unique(blocks, return_index=True)[1])
            free = [place for place in first if blocks[place] not in used][: shot + query]
            if len(free) < shot + 1:
                return None
            used |= set(blocks[free].tolist())
            drawn.append(order[free])
        return drawn

    def _episode(self, drawn: list[Array], shot: int, ways: int) -> Episode:
        support, query = ([rows[part] for rows in drawn] for part in (slice(shot), slice(shot, None)))
        if self.kind.has_classes:
            truth = [np.repeat(np.arange(ways), len(side[0])) for side in (support, query)]
        else:
            truth = [self.targets[np.concatenate(side)] for side in (support, query)]
        return Episode(np.concatenate(support), np.concatenate(query), truth[0], truth[1], ways)

    def _short(self, shape: Shape, ways: int) -> str:
        if not self.kind.has_classes:
            most = max((len(np.unique(self.block[rows])) for pool in self.pools for rows in pool), default=0)
            return (
                f"{shape.shot}-shot episodes need {shape.shot + 1} different rows of a task, and the largest has "
                f"{most}: name a smaller shot, or add rows"
            )
        most = max((self._able(pool, shape) for pool in self.pools), default=0)
        return (
            f"{ways}-way {shape.shot}-shot episodes need {ways} classes of at least {shape.shot + 1} different rows "
            f"each, and here are {most}: name a smaller way or shot, or add rows"
        )


def _as_met(codes: Array) -> Array:
    """The different codes in the order in which the rows show them, so that their numbers do not matter."""
    different, first = np.unique(codes, return_index=True)
    return np.asarray(different[np.argsort(first)])


def enough_blocks(block: Array, shot: int) -> bool:
    """Whether rows of these blocks can be support and query: at least shot + 1 different ones."""
    return len(np.unique(block)) > shot
