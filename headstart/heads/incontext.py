"""Answers in context: a network that was fitted to a prior of tables reads the training rows and answers for others.

    logits = W [log p_1(. | x, rows), ..., log p_E(. | x, rows)] + b        values: scale E[y | x, rows] + mean

of E problems in which classes have other symbols (Hollmann et al., 2023), averaged by W: nothing is learnt but what the
rows say, in one forward pass (`table_prior`). Up to 1,000 rows are the context, drawn from more; up to 100 columns, or
16 principal axes of features that have one unit; of more than 10 classes several share a symbol in each problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from headstart.data.splits.folds import merged
from headstart.heads.facts import FitterFacts
from headstart.heads.fitter import Posed, Proposal
from headstart.heads.head import Head
from headstart.heads.layers import SYMBOLS, in_context
from headstart.heads.problem import Problem
from headstart.heads.standardize import standard
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Array, Kind

if TYPE_CHECKING:
    from headstart.table_prior.weights import Weights

__all__ = ["InContext"]

NONE = "none"
"""As weights: no network."""
CODES = 12
"""Problems of more classes than that."""


@dataclass(frozen=True, kw_only=True)
class InContext(Posed):
    """weights   a folder with those of the network; "": those that come with the package, or without any what
              its smoothers say; "none": only these
    rows      of the context, at most
    columns   at most; axes: of features of one unit, at most
    members   problems of up to 10 classes that are averaged
    most_folds  more folds than these are merged into these
    """

    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION)
    weights: str = ""
    rows: int = 1000
    columns: int = 100
    axes: int = 16
    members: int = 4
    most_folds: int = 5

    def suits(self, problem: Problem) -> bool:
        """Whether it can answer such a task of so many columns."""
        narrow = problem.scale != "each" or problem.features.shape[1] <= self.columns
        return narrow and problem.kind in self.kinds

    def propose(self, problem: Problem) -> Proposal:
        """The head whose context are all rows, or some; out of fold, those of other folds."""
        self.check(problem.kind)
        table = _Table.of(problem, self)
        network = network_weights(self.weights)
        folds = merged(problem.folds, problem.kind.codes(problem.targets), self.most_folds)
        out = np.empty((len(table.rows), problem.columns))
        for fold in range(folds.max() + 1):
            left_out = folds == fold
            out[left_out] = _Context.of(self, problem, table, ~left_out, network).logits(table.rows[left_out])
        everything = np.ones(len(out), dtype=bool)
        return Proposal(
            problem.filled(out) if problem.kind.has_classes else out,
            lambda: _Context.of(self, problem, table, everything, network).head(problem.kind, table),
        )


@cache
def network_weights(folder: str) -> Weights:
    """Of a folder, or that come with the package, or of a network that has not learnt."""
    from headstart.table_prior.weights import read_weights, shipped, untrained

    if folder == NONE:
        return untrained()
    return read_weights(Path(folder)) if folder else shipped() or untrained()


class _Table(NamedTuple):
    """rows     (N, K) as the network takes them, in the order of the problem
    below    the arrays of a head that make them of features
    """

    rows: Array
    below: dict[str, Array]

    @classmethod
    def of(cls, problem: Problem, options: InContext) -> _Table:
        """Standardised columns, or the first principal axes. ValueError where there are too many columns."""
        if problem.scale != "each":
            return cls._turned(problem, options.axes)
        width = problem.features.shape[1]
        if not options.suits(problem):
            raise ValueError(
                f"the table has {width} columns once its categories are columns of their own, and the incontext head "
                f"reads up to {options.columns}: leave columns out, or use 'trees' or 'probe'"
            )
        std = standard(problem.features, problem.order, problem.weights)
        return cls(std.apply(problem.features[problem.order]), {"mean": std.mean, "scale": std.scale})

    @classmethod
    def _turned(cls, problem: Problem, axes: int) -> _Table:
        basis = problem.basis
        width = len(basis.squares) - 1
        turn = basis.lift(np.eye(width)[:, :axes]) / basis.standard.scale[:, None]
        shift = -basis.standard.mean @ turn
        rows = problem.features[problem.order].astype(np.float64) @ turn + shift
        plain = {"mean": np.zeros(rows.shape[1]), "scale": np.ones(rows.shape[1])}
        return cls(rows, {"turn": turn, "shift": shift, **plain})


class _Context(NamedTuple):
    """arrays   what `layers.in_context` reads, and the linear layer above
    account  of the head
    """

    arrays: dict[str, Array]
    account: dict[str, Any]

    @classmethod
    def of(
        cls, options: InContext, problem: Problem, table: _Table, training_rows: Array, network: Weights
    ) -> _Context:
        """Of the training rows (N,) bool of a problem."""
        rows = np.flatnonzero(training_rows & (problem.weights > 0))
        if len(rows) > options.rows:
            drawn = np.random.default_rng(problem.seed).permutation(len(rows))[: options.rows]
            rows = np.sort(rows[drawn])
        if problem.kind.has_classes:
            codes, layer = _coded(problem, rows, training_rows, options.members)
            symbols = int(codes.max()) + 1
        else:
            codes, layer = _valued(problem, rows)
            symbols = 0
        arrays = {
            "context": table.rows[rows].astype(np.float32),
            "answers": codes.astype(np.float32),
            "network": network.vector.numpy(),
            "design": np.array([symbols, *network.design], dtype=np.float64),
            **layer,
        }
        account = {"context": len(rows), "problems": codes.shape[1], "weights": network.about}
        return cls(arrays, account)

    def logits(self, rows: Array) -> Array:
        """(N, C) of rows (N, K) of the table."""
        return np.asarray(in_context(rows, self.arrays) @ self.arrays["weight.0"] + self.arrays["bias.0"])

    def head(self, kind: Kind, table: _Table) -> Head:
        facts = FitterFacts(account=self.account)
        return Head(name="incontext", kind=kind, arrays=table.below | self.arrays, facts=facts)


def _coded(problem: Problem, rows: Array, training_rows: Array, members: int) -> tuple[Array, dict[str, Array]]:
    """(n, E) symbols of the rows, and the layer from log p of symbols to logits of classes.

    A class that no row is of has the odds of add-half smoothing; rows of one class that weigh more than those of
    another raise its odds likewise.
    """
    targets, classes = problem.targets[rows], problem.classes
    present = np.unique(targets)
    book = codebook(len(present), members, problem.seed)
    symbols, problems = int(book.max()) + 1, len(book)
    weight = np.zeros((problems * symbols, classes))
    for e, symbol_of in enumerate(book):
        weight[e * symbols + symbol_of, present] += 1.0 / problems
    bias = np.where(np.isin(np.arange(classes), present), 0.0, -np.log(2 * (len(rows) + 1.0)))
    weighed = np.bincount(problem.targets[training_rows], problem.weights[training_rows], classes)[present]
    counted = np.bincount(targets, minlength=classes)[present]
    odds = np.log(weighed / weighed.sum()) - np.log(counted / counted.sum())
    bias[present] += odds - odds.max()
    codes = np.stack([symbol_of[np.searchsorted(present, targets)] for symbol_of in book], axis=1)
    return codes, {"weight.0": weight, "bias.0": bias}


def codebook(classes: int, members: int, seed: int) -> Array:
    """(E, C) the symbol of each class in each problem: turned round by one, or for more than `SYMBOLS` classes drawn so
    that symbols have as many classes and no two classes the same symbols throughout."""
    if classes <= SYMBOLS:
        turns = np.arange(min(members, classes))[:, None]
        return np.asarray((np.arange(classes) + turns) % classes)
    rng = np.random.default_rng(seed)
    rest = np.arange(classes)
    book = []
    for _ in range(max(CODES, 3 * int(np.ceil(np.log(classes) / np.log(SYMBOLS))))):
        book.append(rng.permutation(rest) % SYMBOLS)
    digits: Sequence[Array] = [rest // SYMBOLS**place % SYMBOLS for place in range(len(str(classes - 1)))]
    return np.stack([*book, *digits])


def _valued(problem: Problem, rows: Array) -> tuple[Array, dict[str, Array]]:
    """(n, 1) standardised values of the rows, and the layer back from them."""
    values = problem.targets[rows]
    mean, spread = values.mean(), values.std()
    spread = spread if spread > 1e-12 * max(1.0, abs(mean)) else 1.0
    return ((values - mean) / spread)[:, None], {"weight.0": np.array([[spread]]), "bias.0": np.array([mean])}
