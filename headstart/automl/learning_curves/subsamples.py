"""Nested subsamples of labelled rows: an order of which every beginning is a stratified sample, and how long they are.

Blocks (duplicates, groups) come one after the other, in an order drawn from their content, whatever the order of the
rows: labels come in groups where the data do. Block j (from 0) of the m in its stratum, that of its rarest row, stands
at (j + u) / m, u uniform in 0 to 1. In front stand a row of each class, another of each from another block, and one of
each of the first ten blocks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from blake3 import blake3

from headstart.data.splits.groups import by_content
from headstart.features.feature_set import FeatureSet
from headstart.tasks.task import Array

__all__ = ["A_CLASS", "COUNT", "SMALLEST", "named_sizes", "nested_order", "sizes_for"]

COUNT = 8
"""How many sizes there are."""
SMALLEST, A_CLASS = 10, 2
"""Rows, and rows of each class, of the smallest subsample at least."""


def sizes_for(rows: int, classes: int, count: int = COUNT) -> tuple[int, ...]:
    """Up to `count` sizes from max(10, two a class) to all rows, each a like multiple of the one before; () where the
    rows are not twice as many as the smallest."""
    first = max(SMALLEST, A_CLASS * classes)
    if rows < 2 * first:
        return ()
    return tuple(np.unique(np.geomspace(first, rows, count).round().astype(np.int64)).tolist())


def nested_order(rows: FeatureSet, salt: str) -> Array:
    """(N,) positions of the rows, each once; `salt` draws another order from the same content."""
    block = by_content(rows.blocks, rows.keys, salt)
    stratum = _stratum_of(rows)
    of_block = np.full(int(block.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(of_block, block, stratum)
    place = _places(of_block, np.random.default_rng(int.from_bytes(blake3(salt.encode()).digest()[:8])))
    order = np.array(
        sorted(range(len(rows)), key=lambda row: (place[block[row]], block[row], rows.keys[row])), np.int64
    )
    return _spread_first(rows, order, block)


def _stratum_of(rows: FeatureSet) -> Array:
    """(N,) the stratum of each row, of several the rarest; strata are numbered from the rarest on, rows that are in
    none last."""
    members, strata = rows.task.kind.strata(np.asarray(rows.task.targets))
    codes = np.unique(strata, return_inverse=True)[1]
    counts = np.bincount(codes)
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    stratum = np.full(len(rows), len(counts), np.int64)
    np.minimum.at(stratum, members, rank[codes])
    return stratum


def _places(strata: Array, random: np.random.Generator) -> Array:
    """(B,) from 0 to 1: in every beginning of the blocks sorted by them, each stratum has its share."""
    order = np.argsort(strata, kind="stable")
    counts = np.bincount(strata)
    number = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    place = np.empty(len(order))
    place[order] = (number + random.random(len(order))) / np.repeat(counts, counts)
    return place


def _spread_first(rows: FeatureSet, order: Array, block: Array) -> Array:
    """The order with a row of each class in front, then another of each from another block, then one of each of the
    first ten blocks: no beginning lacks a class, or is of one group."""
    at = np.empty(len(order), np.int64)
    at[order] = np.arange(len(order))
    turn = np.full(len(order), A_CLASS + 1)
    leading = order[np.sort(np.unique(block[order], return_index=True)[1])]
    turn[leading[:SMALLEST]] = A_CLASS
    if rows.task.kind.has_classes:
        members, strata = rows.task.kind.strata(np.asarray(rows.task.targets))
        by_class = np.lexsort((at[members], strata))
        members, strata = members[by_class], strata[by_class]
        first = np.sort(np.unique(np.stack([strata, block[members]]), axis=1, return_index=True)[1])
        counts = np.unique(strata[first], return_counts=True)[1]
        number = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
        np.minimum.at(turn, members[first][number < A_CLASS], number[number < A_CLASS])
    return order[np.argsort(turn[order], kind="stable")]


def named_sizes(sizes: Sequence[int], rows: int, classes: int) -> tuple[int, ...]:
    """Sizes that a person named, ascending, each once. ValueError for one that cannot be."""
    least = max(SMALLEST, classes)
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or not least <= size <= rows:
            raise ValueError(
                f"sizes: {size!r} is no number of rows to learn from; expected whole numbers from {least} (ten rows, "
                f"and one of each class) to {rows} (all there are)"
            )
    named = tuple(sorted({int(size) for size in sizes}))
    if len(named) < 2:
        raise ValueError(f"sizes: {list(sizes)!r} are fewer than two different ones: a curve needs two, a law four")
    return named
