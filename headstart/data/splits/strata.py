"""Strata: what a stratified split keeps in proportion. Classes, labels, or quantile bins of a number."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array

from headstart.errors import DataError
from headstart.tasks.task import Array, Kind

__all__ = ["strata_counts"]


def strata_counts(targets: Array | None, kind: Kind, block: Array) -> csr_array:
    """(B, S + 1) counts: how many rows of each stratum a block holds; the last column counts all its rows.

    block   (N,) numbers from 0 to B - 1
    Raises DataError where a target to stratify by is missing.
    """
    n = len(block)
    rows, strata = _memberships(targets, kind, n)
    every = strata.max(initial=-1) + 1
    at = (block[np.concatenate([rows, np.arange(n)])], np.concatenate([strata, np.full(n, every)]))
    shape = (int(block.max(initial=-1)) + 1, every + 1)
    return coo_array((np.ones(len(at[0]), np.int64), at), shape=shape).tocsr()


def _memberships(targets: Array | None, kind: Kind, n: int) -> tuple[Array, Array]:
    """Row and stratum of each membership."""
    if targets is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if len(targets) != n:
        raise ValueError(f"a split needs one target a row: got {len(targets)} targets for {n} rows")
    labelled = kind.known(targets)
    if not labelled.all():
        raise DataError(f"{int((~labelled).sum())} of {n} targets are missing: set these rows aside before splitting")
    return kind.strata(targets)
