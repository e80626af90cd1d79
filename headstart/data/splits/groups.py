"""Blocks: rows that must stay on one side of every split, and their order, which depends on content alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from blake3 import blake3

from headstart.tasks.task import Array

__all__ = ["blocks", "by_content", "copies_of_held"]

_HELD = {"train": 0, "val": 1, "test": 2}


def blocks(
    n: int,
    keys: Sequence[bytes] | None = None,
    near_pairs: npt.ArrayLike | None = None,
    group: npt.ArrayLike | None = None,
) -> Array:
    """The block of each of `n` rows, (n,) int64: connected components of what must not be divided.

    keys        (n,) content keys: equal keys share a block
    near_pairs  (P, 2) row numbers: the two rows of a pair share a block
    group       (n,) labels: equal labels share a block; a missing label (None, NaN) binds its row to nothing
    """
    links = [np.zeros((0, 2), np.int64) if near_pairs is None else np.asarray(near_pairs, np.int64).reshape(-1, 2)]
    nodes = n
    for labels in (keys, group):
        if labels is not None:
            codes = pd.factorize(_objects(labels))[0]
            if len(codes) != n:
                raise ValueError(f"blocks of {n} rows need {n} keys and group labels, got {len(codes)}")
            links.append(np.stack([np.arange(n), codes + nodes], axis=1)[codes >= 0])
            nodes += codes.max(initial=-1) + 1
    if near_pairs is None and group is None and keys is not None:
        return np.asarray(codes, np.int64)  # as the graph would number them, by their first rows
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = np.concatenate(links).T
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(nodes, nodes))
    components = connected_components(graph, directed=False)[1]
    return np.unique(components[:n], return_inverse=True)[1].astype(np.int64)


def by_content(block: npt.ArrayLike, keys: Sequence[bytes], salt: str) -> Array:
    """The same blocks, numbered from 0 in an order that `salt` draws from their contents, whatever the order of rows.

    The smallest key of a block stands for it, so that another copy or a new member seldom moves a block.
    """
    joined = blocks(len(keys), keys, group=block)
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    smallest = order[np.unique(joined[order], return_index=True)[1]]
    drawn = [blake3(keys[row] + salt.encode()).digest() for row in smallest]
    place = np.empty(len(drawn), np.int64)
    place[sorted(range(len(drawn)), key=drawn.__getitem__)] = np.arange(len(drawn))
    return place[joined]


def copies_of_held(block: npt.ArrayLike, split: npt.ArrayLike) -> Array:
    """Rows of a given split that share a block with rows held out from them: train with val or test, val with test.

    split   (N,) "train", "val" or "test"
    """
    level = np.array([_HELD[side] for side in np.asarray(split).tolist()], dtype=np.int64)
    highest = np.zeros(len(level), np.int64)
    codes = np.unique(np.asarray(block), return_inverse=True)[1]
    np.maximum.at(highest, codes, level)
    return np.flatnonzero(level < highest[codes])


def _objects(labels: Any) -> Array:
    if isinstance(labels, np.ndarray):
        return labels
    objects = np.empty(len(labels), dtype=object)
    objects[:] = labels
    return objects
