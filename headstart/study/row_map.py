"""Rows on the two principal components of their features, as a report draws them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from headstart.evidence.examples import FeatureMap
from headstart.evidence.held_out import HeldOut
from headstart.features.feature_set import FeatureSet
from headstart.linalg.principal import two_components
from headstart.study.resampling import Trials
from headstart.tasks.task import Array

__all__ = ["row_map"]

_SIDE, _BINS, _SETS, _LONGEST = 1000, 5, 30, 80
LEARNT, RIGHT, WRONG = 0, 1, 2


def row_map(
    rows: FeatureSet, held_out: HeldOut, trials: Trials, features: Array, wrong: Array, *, of: str, most: int
) -> FeatureMap:
    """At most so many rows, drawn at random where there are more.

    features   (N, D) of all rows; columns that are not known are taken as their mean
    wrong      (T,) of the tested rows
    of         whose features
    """
    state = np.full(len(rows), LEARNT)
    state[trials.tested] = np.where(wrong, WRONG, RIGHT)
    drawn = np.arange(len(rows))
    if len(rows) > most:
        drawn = np.sort(np.random.default_rng(0).choice(len(rows), most, replace=False))
    values = np.asarray(features[drawn], np.float32)
    if np.isnan(values).any():
        known = np.isfinite(values)
        means = np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        values = np.where(known, values, means).astype(np.float32)
    if not of:
        values = _each_alike(values)
    places, share = two_components(values)
    labels, code = _labels(rows, held_out, drawn)
    x, y = (_scaled(places[:, column]) for column in (0, 1))
    return FeatureMap(of, len(rows), round(share, 4), labels, x, y, code, tuple(state[drawn].tolist()))


def _each_alike(values: Array) -> Array:
    """Columns of a table have units of their own."""
    spread = values.std(axis=0)
    return np.asarray(values / np.where(spread > 0, spread, 1))


def _labels(rows: FeatureSet, held_out: HeldOut, drawn: Array) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """What the codes mean, and the code of each row that is drawn: of numbers fifths of the rows, of several labels all
    that a row has together."""
    targets = np.asarray(rows.task.targets)[drawn]
    if held_out.kind.exclusive:
        known = (targets >= 0) & (targets < len(rows.task.classes))
        return tuple(str(label) for label in rows.task.classes), tuple(np.where(known, targets, -1).tolist())
    if held_out.kind.several:
        return _label_sets(rows, targets > 0)
    edges = np.quantile(targets, np.linspace(0, 1, _BINS + 1))
    codes = np.clip(np.searchsorted(edges[1:-1], targets, side="right"), 0, _BINS - 1)
    return tuple(f"{low:.4g} - {high:.4g}" for low, high in pairwise(edges)), tuple(codes.tolist())


def _label_sets(rows: FeatureSet, given: Array) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The commonest sets of labels, and which of them each row has, -1 for any other; given (N, C) bool."""
    sets, codes, counts = np.unique(given, axis=0, return_inverse=True, return_counts=True)
    common = np.argsort(-counts, kind="stable")[:_SETS]
    place = np.full(len(sets), -1)
    place[common] = np.arange(len(common))
    names = (", ".join(str(rows.task.classes[at]) for at in np.flatnonzero(sets[number])) for number in common)
    return tuple(name[:_LONGEST] or "-" for name in names), tuple(place[codes.ravel()].tolist())


def _scaled(values: Array) -> tuple[int, ...]:
    """From 0 to `_SIDE`. A few rows far out, which would press all others together, stand on the edge: beyond the 2nd
    and 98th percentiles there is room for half of what lies between them."""
    inner, outer = np.quantile(values, [0.02, 0.98])
    room = (outer - inner) / 2
    low, high = (float(values.min()), float(values.max())) if not room else (inner - room, outer + room)
    low, high = max(low, float(values.min())), min(high, float(values.max()))
    places = (np.clip(values, low, high) - low) * (_SIDE / (high - low or 1))
    return tuple(np.rint(places).astype(int).tolist())
