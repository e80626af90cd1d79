"""Boosted trees on histograms as a head (Friedman, 2001; Ke et al., 2017), for the columns of tables and arrays.

    f_m(x) = f_(m-1)(x) + rate * tree_m(x),        each tree fitted to the gradient of the log loss or squared error

Many rows are sorted into bins once, so that a tree costs what a pass over the rows costs: for large tables, and
stronger than `boosting.py`, whose trees are a few small ones. How many is settled on the folds; no more are
grown than the budget allows. The trees are grown by scikit-learn, kept as one array of numbers, and answered from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from headstart.data.splits.folds import merged
from headstart.heads.bins import Edges, edges_of, in_bins
from headstart.heads.calibrate import calibrate
from headstart.heads.facts import FitterFacts
from headstart.heads.fitter import Posed, Proposal
from headstart.heads.head import Head
from headstart.heads.layers import LEAF, grown
from headstart.heads.likelihood import code_losses
from headstart.heads.paired import above_error
from headstart.heads.problem import Problem
from headstart.linalg.blas import one_thread_if_few
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Array, Kind

__all__ = ["Trees"]

_TWO = 2
_OVERHEAD, _BIN, _CELL = 2e-3, 1e-7, 8e-9
"""Seconds that a tree takes, roughly: whatever it is, for each bin of a column, and for each number."""


@dataclass(frozen=True, kw_only=True)
class Trees(Posed):
    """fewest, most   trees for each output, by how many seconds they may take
    budget         seconds for all fits, by what a tree takes on the machine where this was measured
    a_row          seconds more for every row
    stages         how many numbers of trees are compared
    rate           of learning; twice that where fewer than `most` are grown
    leaves         of a tree, of tasks of up to `many` rows and of others
    bins           of a column
    most_folds     more folds than these are merged into these
    """

    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION)
    fewest: int = 20
    most: int = 100
    budget: float = 5.0
    a_row: float = 5e-5
    stages: int = 10
    rate: float = 0.1
    leaves: tuple[int, int] = (8, 16)
    many: int = 10_000
    bins: int = 64
    most_folds: int = 3

    def affordable(self, problem: Problem) -> float:
        """How many trees for each output fit into the budget, over all folds and the final fit."""
        rows, columns = problem.features.shape
        outputs = problem.columns if problem.columns > _TWO else 1
        tree = outputs * (_OVERHEAD + columns * (self.bins * _BIN + rows * _CELL))
        return float((self.budget + self.a_row * rows) / (self.most_folds + 1) / tree)

    def propose(self, problem: Problem) -> Proposal:
        """The head with the best number of trees; its account tells the loss of each."""
        self.check(problem.kind)
        course = _Course(self, problem)
        for fold in range(course.folds.max() + 1):
            course.hold_out(fold)
        return course.proposal()

    def propose_against(self, problem: Problem, rival: Array) -> Proposal | None:
        """The same; None where the fewest trees do not fit into the budget, or where the first fold, held out, is
        answered worse by a standard error than by out-of-fold logits (N, C) of a rival."""
        self.check(problem.kind)
        if self.affordable(problem) < self.fewest:
            return None
        course = _Course(self, problem)
        course.hold_out(0)
        if course.behind(rival):
            return None
        for fold in range(1, course.folds.max() + 1):
            course.hold_out(fold)
        return course.proposal()


class _Course:
    """The fits of all folds, and of all rows."""

    def __init__(self, options: Trees, problem: Problem) -> None:
        self.options, self.problem = options, problem
        codes = problem.kind.codes(problem.targets)
        self.folds = merged(problem.folds, codes, options.most_folds)
        rows = problem.features[problem.order].astype(np.float32)
        self.edges = edges_of(rows, options.bins)
        self.rows = in_bins(rows, self.edges)
        trees = int(np.clip(options.affordable(problem), options.fewest, options.most))
        self.counts = np.unique(np.geomspace(5, trees, options.stages).astype(np.int64))
        self.rate = options.rate if trees == options.most else 2 * options.rate
        self.out = np.full((len(self.counts), len(codes), problem.columns), np.nan)

    def hold_out(self, fold: int) -> None:
        """Fill in the logits of one fold's rows after each number of trees."""
        rows = self.folds == fold
        with one_thread_if_few(self.rows.size):
            forest = self._grown(np.flatnonzero(~rows), int(self.counts[-1]))
            self.out[:, rows] = forest.staged(self.rows[rows], self.counts)

    def behind(self, rival: Array) -> bool:
        """Whether the first fold is answered worse than by the rival, by a standard error of the paired difference."""
        rows = self.folds == 0
        ours = np.stack([self._losses(out[rows], rows) for out in self.out])
        weights = self._weights()[rows] / max(self._weights()[rows].sum(), np.finfo(np.float64).tiny)
        return above_error(ours[int(np.argmin(ours @ weights))] - self._losses(rival[rows], rows), weights)

    def proposal(self) -> Proposal:
        losses = [self.problem.score(out).loss for out in self.out]
        best = int(np.argmin(losses))
        count = int(self.counts[best])
        losses_of_counts = {str(number): loss for number, loss in zip(self.counts.tolist(), losses, strict=True)}

        def finish() -> Head:
            with one_thread_if_few(self.rows.size):
                forest = self._grown(np.arange(len(self.rows)), count)
            return forest.head(self.problem.kind, self.edges, {"trees": count, "losses": losses_of_counts})

        return Proposal(self.out[best], finish)

    def _weights(self) -> Array:
        return self.problem.weights if not self.problem.kind.has_classes else self.problem.counted

    def _losses(self, logits: Array, rows: Array) -> Array:
        """(n,) of the rows of a fold: squared errors, or log losses at the temperature that suits them best."""
        truth = self.problem.targets[rows]
        if not self.problem.kind.has_classes:
            return np.asarray(np.square(logits[:, 0] - truth))
        scaled = logits / calibrate(logits, truth, CLASSIFICATION, self._weights()[rows]).temperature
        return code_losses(scaled, truth)

    def _grown(self, rows: Array, count: int) -> _Forest:
        """Trees that learn from these rows."""
        problem, y = self.problem, self.problem.targets[rows]
        options: dict[str, Any] = {
            "max_iter": count,
            "learning_rate": self.rate,
            "max_bins": self.options.bins,
            "max_leaf_nodes": self.options.leaves[int(len(self.rows) > self.options.many)],
            "min_samples_leaf": max(1, min(5, len(rows) // 10)),
            "max_features": 0.5,
            "l2_regularization": 1.0,
            "early_stopping": False,
            "random_state": problem.seed,
        }
        weights = problem.weights[rows]
        if not problem.kind.has_classes:
            model = HistGradientBoostingRegressor(**options).fit(self.rows[rows], y, sample_weight=weights)
            return _Forest(model, np.ones((1, 1)), np.zeros(1))
        present = np.unique(y)
        absent = np.where(np.isin(np.arange(problem.classes), present), 0.0, -np.log(2 * (len(y) + 1.0)))
        if len(present) == 1:
            return _Forest(None, np.zeros((0, problem.classes)), absent)
        model = HistGradientBoostingClassifier(**options).fit(self.rows[rows], y, sample_weight=weights)
        return _Forest(model, _columns(present, problem.classes), absent)


class _Forest(NamedTuple):
    """logits = raw W + b; raw (N, k) are the summed leaves of a fitted model and where it begins, W (k, C), b (C,).

    The model is one of rows in bins, the head one of features as they are.
    """

    model: Any
    W: Array
    b: Array

    def staged(self, x: Array, counts: Array) -> Array:
        """(S, N, C) logits after each number of trees."""
        if self.model is None:
            return np.broadcast_to(self.b, (len(counts), len(x), len(self.b)))
        regresses = isinstance(self.model, HistGradientBoostingRegressor)
        stages = self.model.staged_predict(x) if regresses else self.model.staged_decision_function(x)
        logits = [raw.reshape(len(x), -1) for number, raw in enumerate(stages, start=1) if number in counts]
        return np.stack(logits) @ self.W + self.b

    def head(self, kind: Kind, edges: Edges, account: dict[str, Any]) -> Head:
        trees, start, width = np.zeros((0, 1, 5)), np.zeros(len(self.W)), len(edges)
        if self.model is not None:
            trees = _numbers([tree for stage in self.model._predictors for tree in stage])
            some = np.zeros((1, width), np.float32)
            raw = self.model.predict if not kind.has_classes else self.model.decision_function
            start = (np.reshape(raw(some), (1, -1)) - grown(some, trees, len(self.W)))[0]
        arrays = {
            "mean": np.zeros(width),
            "scale": np.ones(width),
            "trees": _out_of_bins(trees, edges),
            "weight.0": self.W,
            "bias.0": self.b + start @ self.W,
        }
        return Head(name="trees", kind=kind, arrays=arrays, facts=FitterFacts(account=account))


def _columns(present: Array, classes: int) -> Array:
    """(k, C): which logits the k functions that are boosted add to."""
    if len(present) == _TWO:
        W = np.zeros((1, classes))
        W[0, present] = -0.5, 0.5
        return W
    return np.asarray(present[:, None] == np.arange(classes), dtype=np.float64)


def _numbers(trees: list[Any]) -> Array:
    """(T, M, 5), see `layers.grown`."""
    table = np.zeros((len(trees), max(len(tree.nodes) for tree in trees), 5))
    table[:, :, 0] = LEAF
    for place, tree in zip(table, trees, strict=True):
        nodes, inner = tree.nodes, tree.nodes["is_leaf"] == 0
        place[: len(nodes), 0] = np.where(inner, nodes["feature_idx"], LEAF)
        place[: len(nodes), 1] = np.where(inner, nodes["num_threshold"], 0.0)
        place[: len(nodes), 2:4] = np.stack([nodes["left"], nodes["right"]], axis=1) * inner[:, None]
        place[: len(nodes), 4] = np.where(inner, 0.0, nodes["value"])
    return table


def _out_of_bins(trees: Array, edges: Edges) -> Array:
    """The same trees, which ask for numbers where they asked for bins: up to bin k are those up to edge k."""
    feature, threshold = trees[:, :, 0].astype(np.int64), np.floor(trees[:, :, 1]).astype(np.int64)
    unbinned = trees.copy()
    for tree, node in np.argwhere(feature != LEAF):
        unbinned[tree, node, 1] = edges[feature[tree, node]][threshold[tree, node]]
    return unbinned
