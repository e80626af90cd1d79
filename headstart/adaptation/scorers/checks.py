"""What every criterion refuses in words: answers that are no probabilities, no density ratios, rows amiss."""

from __future__ import annotations

import math

import numpy as np

from headstart.tasks.task import Array

__all__ = ["codes_of", "finite", "positive", "probabilities", "weights_of"]

_OFF = 1e-6


def finite(name: str, values: Array, ndim: int) -> Array:
    """As float64 of so many dimensions. ValueError for others, for no row, and for NaN."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != ndim or not values.size:
        shape = "(rows,)" if ndim == 1 else "(rows, columns)"
        raise ValueError(f"{name} has shape {values.shape}: expected {shape}, one row at least")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds NaN or infinite numbers: expected what a fitted model says of each row")
    return values


def probabilities(name: str, p: Array) -> Array:
    """(rows, C) float64. ValueError unless every row is at least 0 and sums to 1."""
    p = finite(name, p, 2)
    off = float(np.abs(p.sum(axis=1) - 1).max())
    if p.min() < 0 or off > _OFF:
        raise ValueError(
            f"{name} has a least value of {p.min():.3g} and rows up to {off:.3g} off a sum of 1: expected "
            "probabilities of every class; pass logits through a softmax first"
        )
    return p


def codes_of(name: str, codes: Array, rows: int, classes: int) -> Array:
    """(rows,) int64. ValueError unless they are class codes 0..C-1, one a row."""
    codes = np.asarray(codes)
    if codes.shape != (rows,):
        raise ValueError(f"{name} has shape {codes.shape}: expected ({rows},), one answer a row")
    if codes.dtype.kind not in "iuf" or not np.isin(codes, np.arange(classes)).all():
        raise ValueError(f"{name} holds values other than the class codes 0 to {classes - 1}: expected codes")
    return codes.astype(np.int64)


def weights_of(weights: Array, rows: int) -> Array:
    """(rows,) float64. ValueError unless they are finite, at least 0 and not all 0."""
    weights = finite("weights", weights, 1)
    if len(weights) != rows:
        raise ValueError(f"weights has {len(weights)} rows: expected {rows}, one weight a source row")
    if weights.min() < 0 or not weights.any():
        raise ValueError(
            f"weights go from {weights.min():.3g} to {weights.max():.3g}: expected density ratios, none below 0 and "
            "some above"
        )
    return weights


def positive(name: str, value: float, instead: str) -> None:
    """ValueError where an option is not a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name}={value!r}: expected a finite number above 0, such as {instead}")
