"""Splits by content: stratified, with blocks kept whole, the same whatever the order of the rows.

Blocks are taken in an order drawn from their content (`blocks.by_content`), first come first served, as long as the
shares of all strata get nearer to what is wanted. So a new row moves the boundary of its own stratum and little else.
`folds` follows the greedy idea of scikit-learn's StratifiedGroupKFold (large blocks first, each to the fold that
lacks its classes most) and of iterative stratification (Sechidis et al., 2011: rare labels first).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from headstart.data.splits.groups import blocks, by_content
from headstart.data.splits.strata import strata_counts
from headstart.errors import DataError
from headstart.tasks.task import Array, Kind

__all__ = ["Split", "blocks", "folds", "split"]


class Split(NamedTuple):
    """Row numbers, ascending: what to learn from and what to test on."""

    train: Array
    test: Array


def split(
    targets: Array | None,
    kind: Kind,
    blocks: npt.ArrayLike,
    keys: Sequence[bytes],
    *,
    test: float = 0.25,
    seed: int = 0,
) -> Split:
    """Split N rows; about a share `test` of each class (label, quantile bin) is for testing.

    A class that stands in two blocks or more has rows on both sides; one that stands in a single block is in train.
    Raises DataError where no split keeps the blocks whole, ValueError for a share outside (0, 1).
    """
    if not 0 < test < 1:
        raise ValueError(f"test={test}: expected a share of the rows between 0 and 1, such as 0.25")
    block = by_content(blocks, keys, f"split {seed}")
    counts = strata_counts(targets, kind, block)
    _refuse_one_block(counts.shape[0], len(block), "split")
    taken = _take(counts, test)
    if not taken.any():
        raise DataError(
            f"cannot split {len(block)} rows: each of their {len(taken)} blocks (rows, duplicates, groups) holds a "
            "class that no other block has, so none can be spared for testing: add rows, check the group column, or "
            "hand in your own test data"
        )
    in_test = taken[block]
    return Split(np.flatnonzero(~in_test), np.flatnonzero(in_test))


def folds(
    targets: Array | None,
    kind: Kind,
    blocks: npt.ArrayLike,
    keys: Sequence[bytes],
    *,
    k: int = 5,
    seed: int = 0,
) -> Array:
    """The fold of each of N rows, (N,) int64 from 0 to k - 1; every class is spread as evenly as blocks allow.

    With fewer than `k` blocks there are as many folds as blocks; no fold is empty. Raises DataError for a single
    block, ValueError for k below 2.
    """
    if k < 2:
        raise ValueError(f"k={k}: expected at least 2 folds")
    block = by_content(blocks, keys, f"folds {seed}")
    counts = strata_counts(targets, kind, block)
    _refuse_one_block(counts.shape[0], len(block), "cross-validate")
    return _spread(counts, min(k, counts.shape[0]))[block]


def _refuse_one_block(n_blocks: int, n: int, verb: str) -> None:
    if n_blocks < 2:
        raise DataError(
            f"cannot {verb} {n} row{'s' * (n != 1)}: at least 2 are needed that are not duplicates, near duplicates or "
            "of one group: add rows, or check the group column"
        )


def _take(counts: csr_array, share: float) -> npt.NDArray[np.bool_]:
    """Which blocks to take, so that about `share` of each stratum is taken and something of each is left."""
    total = counts.sum(axis=0)
    untaken = np.diff(counts.tocsc().indptr)
    wanted = np.where(untaken > 1, np.maximum(share * total, 1), 0).tolist()
    weight, untaken = (1 / np.maximum(total, 1)).tolist(), untaken.tolist()
    taken = np.zeros(counts.shape[0], dtype=bool)
    members = _members(counts)
    for number, block in enumerate(members):
        nearer = sum((abs(wanted[s]) - abs(wanted[s] - rows)) * weight[s] for s, rows in block)
        if nearer > 0 and all(untaken[s] > 1 for s, _ in block):
            taken[number] = True
            for s, rows in block:
                wanted[s] -= rows
                untaken[s] -= 1
    columns = counts.tocsc()
    for stratum in np.flatnonzero(columns.T @ taken == 0):
        start, end = columns.indptr[stratum], columns.indptr[stratum + 1]
        smallest_first = columns.indices[start:end][np.argsort(columns.data[start:end], kind="stable")]
        possible = [b for b in smallest_first.tolist() if all(untaken[s] > 1 for s, _ in members[b])]
        if possible and not any(taken[b] for b in smallest_first):
            taken[possible[0]] = True
            for s, _ in members[possible[0]]:
                untaken[s] -= 1
    return taken


def _spread(counts: csr_array, k: int) -> Array:
    """The fold of each block."""
    size, strata = counts[:, [-1]].toarray().ravel(), np.diff(counts.indptr)
    total = np.maximum(counts.sum(axis=0), 1)
    fold = np.full(counts.shape[0], -1)
    fold_counts = np.zeros((counts.shape[1], k))
    single = (size == 1) & (strata <= 2)
    rarest = np.minimum.reduceat(total[counts.indices], counts.indptr[:-1])
    several = np.flatnonzero(~single)
    for number in several[np.lexsort((several, rarest[several], -size[several]))]:
        at = slice(counts.indptr[number], counts.indptr[number + 1])
        which, rows = counts.indices[at], counts.data[at]
        fold[number] = best = int(np.argmin((rows / total[which] ** 2) @ fold_counts[which]))
        fold_counts[which, best] += rows
    stratum = counts.indices[np.minimum.reduceat(np.arange(len(counts.indices)), counts.indptr[:-1])]
    for s in np.unique(stratum[single]):
        members = np.flatnonzero(single & (stratum == s))
        quota = _level(fold_counts[s], fold_counts[-1], len(members))
        fold[members] = np.repeat(np.arange(k), quota)
        fold_counts[[s, -1]] += quota
    return fold


def _level(fold_counts: Array, size: Array, rows: int) -> Array:
    """How many of `rows` each fold gets: one at a time, to the fold that holds least of the stratum and then of all."""
    quota = np.zeros(len(fold_counts), np.int64)
    heap = [
        (float(have), float(all_rows), fold)
        for fold, (have, all_rows) in enumerate(zip(fold_counts, size, strict=True))
    ]
    heapq.heapify(heap)
    for _ in range(rows):
        have, all_rows, fold = heap[0]
        quota[fold] += 1
        heapq.heapreplace(heap, (have + 1, all_rows + 1, fold))
    return quota


def _members(counts: csr_array) -> list[list[tuple[int, int]]]:
    """For each block its strata and how many rows of each."""
    pairs = list(zip(counts.indices.tolist(), counts.data.tolist(), strict=True))
    ends = counts.indptr.tolist()
    return [pairs[start:end] for start, end in pairwise(ends)]
