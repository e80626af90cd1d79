"""The rows that a two-sample test takes: checked, standardised, a sample of many, thinned by their weights."""

from __future__ import annotations

import numpy as np

from headstart.tasks.task import Array

__all__ = ["checked", "kept", "some"]

_THINNINGS = 3
_SMALL = 1e-12


def checked(x: Array, y: Array, weights: Array | None) -> tuple[Array, Array]:
    """Both sets with columns standardised over both; constant ones are 0. Raises ValueError in words."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    for name, rows in (("x", x), ("y", y)):
        if rows.ndim != 2 or len(rows) < 2 or not rows.shape[1]:
            raise ValueError(
                f"{name} has shape {rows.shape}: a two-sample test expects (rows, columns), two rows or more"
            )
        if not np.isfinite(rows).all():
            raise ValueError(f"{name} holds NaN or infinite numbers: fill them in or leave their rows out before")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x has {x.shape[1]} columns and y {y.shape[1]}: expected the same columns in both")
    if weights is not None and (np.shape(weights) != (len(x),) or not (weights >= 0).all() or not weights.any()):
        raise ValueError(f"weights: expected {len(x)} numbers of at least 0, one a row of x, and one above 0")
    both = np.concatenate([x, y])
    spread = both.std(axis=0)
    scale = np.where(spread > _SMALL * np.maximum(1.0, np.abs(both).max(axis=0)), spread, np.inf)
    return (x - both.mean(axis=0)) / scale, (y - both.mean(axis=0)) / scale


def some(count: int, most: int, random: np.random.Generator) -> Array:
    """Row numbers, `most` at most."""
    return np.arange(count) if count <= most else np.sort(random.permutation(count)[:most])


def kept(count: int, weights: Array | None, most: int, random: np.random.Generator) -> list[Array]:
    """The rows of x to test with, once; or three times, thinned by their weights."""
    if weights is None:
        return [some(count, most, random)]
    chance = weights / weights.max()
    samples = [np.flatnonzero(random.random(count) < chance) for _ in range(_THINNINGS)]
    heaviest = np.argsort(-chance, kind="stable")[:2]
    return [sample[some(len(sample), most, random)] if len(sample) > 1 else heaviest for sample in samples]
