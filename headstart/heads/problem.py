"""What a fitter is asked: rows in an order of their own content, folds, weights, the basis, and the score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from scipy.special import logsumexp

from headstart.data.splits.folds import merged
from headstart.heads.basis import Basis, principal
from headstart.heads.calibrate import Calibration, calibrate
from headstart.heads.facts import FitterFacts
from headstart.heads.head import Head
from headstart.heads.sample_weights import row_weights
from headstart.heads.standardize import Scale
from headstart.tasks.task import Array, Kind

__all__ = ["Problem"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Features as they were given, and everything else in `order`, which depends on content and not on position.

    targets   (N,) int64 codes, (N,) float64 values, or (N, C) uint8
    folds     (N,) 0 .. F - 1
    weights   (N,) float64, mean 1
    scale     whether features have units of their own, see `standardize`
    axes      the basis when it is asked for
    """

    features: Array
    order: Array
    targets: Array
    folds: Array
    weights: Array
    kind: Kind
    classes: int
    seed: int
    scale: Scale
    axes: Callable[[], Basis]

    @property
    def basis(self) -> Basis:
        """The principal axes; computed once, whichever heads are fitted on however many folds."""
        return self.axes()

    def merged(self, at_most: int) -> Problem:
        """The same problem on at most that many folds."""
        return replace(self, folds=merged(self.folds, self.kind.codes(self.targets), at_most))

    def balanced(self) -> Problem:
        """The same problem on the same axes, every class counting alike; classification only."""
        return replace(self, weights=row_weights(self.targets, self.kind, "balanced", self.weights))

    def on_own_axes(self) -> Problem:
        """The same problem on the axes of its own weights."""
        features, order, weights, scale = self.features, self.order, self.weights, self.scale
        return replace(self, axes=cache(lambda: principal(features, order, weights, scale)))

    @property
    def columns(self) -> int:
        """How many logits a row has: C, or 1 for regression."""
        return self.kind.outputs(self.classes)

    @cached_property
    def truth(self) -> Array:
        """(N, C) 1 where the row is of the class, else 0; regression: (N, 1) the values. float64."""
        return self.kind.truth(self.targets, self.classes)

    @cached_property
    def unseen(self) -> Array:
        """(F, C) bool: outside this fold no row is of the class (multilabel: all rows there have the same answer)."""
        outside, rest = self._outside(), len(self.folds) - np.bincount(self.folds)[:, None]
        one_sided = (outside == 0) | (outside == rest) if self.kind.several else outside == 0
        return np.asarray(one_sided)

    @cached_property
    def counted(self) -> Array:
        """Weights of the answers that count in a score: none where nobody could have learnt the class from the rest."""
        if self.kind.several:
            return np.where(self.unseen[self.folds], 0.0, self.weights[:, None])
        return np.where(self.unseen[self.folds, self.targets], 0.0, self.weights)

    def filled(self, logits: Array) -> Array:
        """Logits (N, C) of folds, where a class that a fold's fit never saw gets the odds of add-half smoothing."""
        unseen = self.unseen[self.folds]
        if not unseen.any():
            return logits
        rare = np.log(2 * (len(logits) - np.bincount(self.folds)[self.folds] + 1.0))[:, None]
        if self.kind.several:
            constant = np.where(self._outside()[self.folds] > 0, rare, -rare)
            return np.where(unseen, constant, logits)
        possible = np.where(unseen, -np.inf, logits)
        return np.where(unseen, logsumexp(possible, axis=1, keepdims=True) - rare, logits)

    def score(self, out_of_fold: Array) -> Calibration:
        """Log loss of logits (N, C), rows in `order`, at their own best temperature; regression: RMSE and T = 1."""
        if not self.kind.has_classes:
            return Calibration(1.0, float(np.sqrt(np.mean(np.square(out_of_fold - self.truth)))))
        return calibrate(out_of_fold, self.targets, self.kind, self.counted)

    def head(self, name: str, beta: Array, account: Mapping[str, Any]) -> Head:
        """The linear head whose weights stand on the axes: beta (K + 1, C), the intercepts last."""
        arrays = {
            "mean": self.basis.standard.mean,
            "scale": self.basis.standard.scale,
            "weight.0": self.basis.lift(beta[:-1]).astype(np.float32),
            "bias.0": np.asarray(beta[-1], dtype=np.float64),
        }
        return Head(name=name, kind=self.kind, arrays=arrays, facts=FitterFacts(account=dict(account)))

    def restored(self, rows: Array) -> Array:
        """Rows in `order` -> float64 rows as the caller gave them."""
        values = np.empty(rows.shape, dtype=np.float64)
        values[self.order] = rows
        return values

    def _outside(self) -> Array:
        """(F, C) how many rows outside each fold are of each class."""
        size = len(np.bincount(self.folds))
        inside = np.stack([np.bincount(self.folds, column, size) for column in self.truth.T], axis=1)
        return np.asarray(inside.sum(axis=0) - inside)
