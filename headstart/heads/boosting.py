"""Boosted trees as a head (Friedman, 2001), for features with units of their own such as the columns of a table.

    f_m(x) = f_(m-1)(x) + rate * tree_m(x),        each tree fitted to the gradient of the log loss or squared error

Stochastic (half the rows a tree) and shallow; how many trees is settled on the folds. The trees are grown by
scikit-learn, kept as one array of numbers, and answered from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn import config_context
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from headstart.data.splits.folds import merged
from headstart.heads.facts import FitterFacts
from headstart.heads.fitter import Posed, Proposal
from headstart.heads.head import Head
from headstart.heads.layers import LEAF, grown
from headstart.heads.problem import Problem
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Array, Kind

__all__ = ["Boosting"]

_TWO = 2


@dataclass(frozen=True, kw_only=True)
class Boosting(Posed):
    """trees     candidates for how many, rising; tried until one does worse than the last
    rate, depth, leaf   of each tree: how much it counts, how deep it is, and how many rows a leaf has at
                        least, at most a tenth of all
    most_folds  more folds than these are merged into these
    """

    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION)
    trees: tuple[int, ...] = (5, 10, 20, 40, 60)
    rate: float = 0.2
    depth: int = 2
    leaf: int = 10
    most_folds: int = 3

    def propose(self, problem: Problem) -> Proposal:
        """The head with the best number of trees; its account tells the loss of each that was tried: the first number
        that does worse than fewer trees is the last."""
        self.check(problem.kind)
        codes = problem.kind.codes(problem.targets)
        fold = merged(problem.folds, codes, self.most_folds)
        rows = problem.features[problem.order]
        models = [self._model(problem, np.flatnonzero(fold != number)) for number in range(int(fold.max()) + 1)]
        best, least, losses = np.empty((len(rows), problem.columns)), np.inf, {}
        for count in self.trees:
            logits = np.empty_like(best)
            for number, model in enumerate(models):
                logits[fold == number] = model.grown(count).logits(rows[fold == number])
            losses[count] = problem.score(logits).loss
            if losses[count] >= least:
                break
            best, least = logits, losses[count]
        trees = min(losses, key=lambda count: losses[count])
        account = {"trees": trees, "losses": {str(count): loss for count, loss in losses.items()}}

        def finish() -> Head:
            forest = self._model(problem, np.arange(len(rows))).grown(trees)
            return forest.head(problem.kind, rows.shape[1], account)

        return Proposal(best, finish)

    def _model(self, problem: Problem, rows: Array) -> _Model:
        """What learns from these rows, no tree grown yet."""
        options: dict[str, Any] = {
            "learning_rate": self.rate,
            "max_depth": self.depth,
            "min_samples_leaf": max(1, min(self.leaf, len(rows) // 10)),
            "subsample": 0.5,
            "random_state": problem.seed,
            "warm_start": True,
        }
        x = problem.features[problem.order[rows]]
        regresses = not problem.kind.has_classes
        model = GradientBoostingRegressor(**options) if regresses else GradientBoostingClassifier(**options)
        return _Model(model, problem.classes, x, problem.targets[rows], problem.weights[rows])


class _Model(NamedTuple):
    """A model of scikit-learn and the rows that it learns from, of a task of so many classes."""

    model: Any
    classes: int
    x: Array
    y: Array
    weights: Array

    def grown(self, count: int) -> _Forest:
        """So many trees for each function; those that were grown before stay."""
        regresses = isinstance(self.model, GradientBoostingRegressor)
        present = np.unique(self.y)
        W = np.ones((1, 1)) if regresses else _columns(present, self.classes)
        b = np.zeros(1) if regresses else _absent(self.classes, present, len(self.y))
        if not len(W):
            return _Forest(np.zeros((0, 1, 5)), W, b)
        # Every tree would check its options and its rows again, which takes a quarter of the time.
        with config_context(skip_parameter_validation=True, assume_finite=True):
            self.model.set_params(n_estimators=count).fit(self.x, self.y, sample_weight=self.weights)
        trees = _numbers([tree.tree_ for stage in self.model.estimators_ for tree in stage], self.model.learning_rate)
        raw = self.model.predict if regresses else self.model.decision_function
        start = np.atleast_2d(raw(self.x[:1])) - grown(self.x[:1], trees, len(W))
        return _Forest(trees, W, b + (start @ W)[0])


class _Forest(NamedTuple):
    """logits = (summed leaves) W + b; trees (T, M, 5) as `grown` has them, W (k, C), b (C,)."""

    trees: Array
    W: Array
    b: Array

    def logits(self, x: Array) -> Array:
        """(N, C) of rows (N, K)."""
        outputs = len(self.W)
        return np.asarray(grown(x, self.trees, max(1, outputs))[:, :outputs] @ self.W + self.b)

    def head(self, kind: Kind, width: int, account: dict[str, Any]) -> Head:
        arrays = {
            "mean": np.zeros(width),
            "scale": np.ones(width),
            "trees": self.trees,
            "weight.0": self.W,
            "bias.0": self.b,
        }
        return Head(name="boosting", kind=kind, arrays=arrays, facts=FitterFacts(account=account))


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
    numbers = np.zeros((len(trees), max(tree.node_count for tree in trees), 5))
    numbers[:, :, 0] = LEAF
    for place, tree in zip(numbers, trees, strict=True):
        inner = tree.children_left >= 0
        place[: tree.node_count, 0] = np.where(inner, tree.feature, LEAF)
        place[: tree.node_count, 1] = np.where(inner, tree.threshold, 0.0)
        place[: tree.node_count, 2:4] = np.stack([tree.children_left, tree.children_right], axis=1) * inner[:, None]
        place[: tree.node_count, 4] = rate * tree.value[:, 0, 0]
    return numbers
