"""Boosted trees as a head (Friedman, 2001), for features with units of their own such as the columns of a table.

    f_m(x) = f_(m-1)(x) + rate * tree_m(x),        each tree fitted to the gradient of the log loss or squared error

Stochastic (half the rows a tree) and shallow; how many trees is settled on the folds. The trees are grown by
scikit-learn, kept as one array of numbers, and answered from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from headstart.data.task import Array, Kind
from headstart.heads.folds import merged
from headstart.heads.head import Head
from headstart.heads.layers import LEAF, grown
from headstart.heads.pose import Posed, Proposal
from headstart.heads.problem import Problem

__all__ = ["Boosting"]

_TWO = 2


@dataclass(frozen=True, kw_only=True)
class Boosting(Posed):
    """trees     candidates for how many, rising
    rate, depth, leaf   of each tree: how much it counts, how deep it is, and how many rows a leaf has at
                        least, at most a tenth of all
    most_folds  more folds than these are merged into these
    """

    kinds: ClassVar[tuple[Kind, ...]] = ("classification", "regression")
    trees: tuple[int, ...] = (5, 10, 20, 40, 60)
    rate: float = 0.2
    depth: int = 2
    leaf: int = 10
    most_folds: int = 3

    def propose(self, problem: Problem) -> Proposal:
        """The head with the best number of trees; its config tells the loss of each."""
        self.check(problem.kind)
        codes = problem.targets if problem.kind == "classification" else np.zeros(len(problem.order), np.int64)
        fold = merged(problem.folds, codes, self.most_folds)
        rows = problem.features[problem.order]
        out = np.empty((len(self.trees), len(rows), problem.columns))
        for number in range(int(fold.max()) + 1):
            held = fold == number
            fitted = self._fitted(problem, rows, np.flatnonzero(~held), max(self.trees))
            out[:, held] = [fitted.logits(rows[held], count) for count in self.trees]
        losses = [problem.score(one).loss for one in out]
        best = int(np.argmin(losses))
        config = {
            "trees": self.trees[best],
            "losses": {str(count): loss for count, loss in zip(self.trees, losses, strict=True)},
        }

        def finish() -> Head:
            forest = self._fitted(problem, rows, np.arange(len(rows)), self.trees[best])
            return forest.head(problem.kind, rows.shape[1], config)

        return Proposal(out[best], finish)

    def _fitted(self, problem: Problem, x: Array, rows: Array, count: int) -> _Forest:
        """Trees that learn from these rows."""
        y = problem.targets[rows]
        options: dict[str, Any] = {
            "n_estimators": count,
            "learning_rate": self.rate,
            "max_depth": self.depth,
            "min_samples_leaf": max(1, min(self.leaf, len(rows) // 10)),
            "subsample": 0.5,
            "random_state": problem.seed,
        }
        if problem.kind == "regression":
            model = GradientBoostingRegressor(**options)
            W = np.ones((1, 1))
        else:
            model = GradientBoostingClassifier(**options)
            W = _columns(np.unique(y), problem.classes)
            if not len(W):
                return _Forest(np.zeros((0, 1, 5)), W, _absent(problem.classes, np.unique(y), len(y)))
        model.fit(x[rows], y, sample_weight=problem.weights[rows])
        trees = _numbers([one.tree_ for stage in model.estimators_ for one in stage], self.rate)
        raw = model.predict if problem.kind == "regression" else model.decision_function
        start = np.atleast_2d(raw(x[rows[:1]])) - grown(x[rows[:1]], trees, len(W))
        b = np.zeros(1) if problem.kind == "regression" else _absent(problem.classes, np.unique(y), len(y))
        return _Forest(trees, W, b + (start @ W)[0])


class _Forest(NamedTuple):
    """logits = (summed leaves) W + b; trees (T, M, 5) as `grown` has them, W (k, C), b (C,)."""

    trees: Array
    W: Array
    b: Array

    def logits(self, x: Array, count: int) -> Array:
        """By the first so many rounds."""
        outputs = len(self.W)
        return np.asarray(grown(x, self.trees[: count * outputs], max(1, outputs))[:, :outputs] @ self.W + self.b)

    def head(self, kind: Kind, width: int, config: dict[str, Any]) -> Head:
        arrays = {
            "mean": np.zeros(width),
            "scale": np.ones(width),
            "trees": self.trees,
            "weight.0": self.W,
            "bias.0": self.b,
        }
        return Head(name="boosting", kind=kind, arrays=arrays, config=config)


def _columns(present: Array, classes: int) -> Array:
    """(k, C): which logits the k functions that are boosted add to; none where there is one class."""
    if len(present) == 1:
        return np.zeros((0, classes))
    if len(present) == _TWO:
        W = np.zeros((1, classes))
        W[0, present] = -0.5, 0.5
        return W
    return np.asarray(present[:, None] == np.arange(classes), dtype=np.float64)


def _absent(classes: int, present: Array, rows: int) -> Array:
    """(C,) 0, and for a class that no row had the odds of add-half smoothing."""
    return np.where(np.isin(np.arange(classes), present), 0.0, -np.log(2 * (rows + 1.0)))


def _numbers(trees: list[Any], rate: float) -> Array:
    """(T, M, 5), see `grown`."""
    found = np.zeros((len(trees), max(tree.node_count for tree in trees), 5))
    found[:, :, 0] = LEAF
    for place, tree in zip(found, trees, strict=True):
        inner = tree.children_left >= 0
        place[: tree.node_count, 0] = np.where(inner, tree.feature, LEAF)
        place[: tree.node_count, 1] = np.where(inner, tree.threshold, 0.0)
        place[: tree.node_count, 2:4] = np.stack([tree.children_left, tree.children_right], axis=1) * inner[:, None]
        place[: tree.node_count, 4] = rate * tree.value[:, 0, 0]
    return found
