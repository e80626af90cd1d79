"""Answers in context: a network that was fitted to a prior of tables reads the training rows and answers for others.

    logits = W [log p_1(. | x, rows), ..., log p_E(. | x, rows)] + b        values: scale E[y | x, rows] + mean

of E problems in which classes have other symbols (Hollmann et al., 2023), averaged by W: nothing is learnt but what the
rows say, in one forward pass (`table_prior`). Up to 1,000 rows are the context, drawn from more; up to 100 columns, or
16 principal axes of features that have one unit; of more than 10 classes several share a symbol in each problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from headstart.data.splits.folds import merged
from headstart.heads.context import (
    ContextTable,
    codebook,
    context_arrays,
    context_rows,
    network_weights,
    standardised_values,
)
from headstart.heads.facts import FitterFacts
from headstart.heads.fitter import Posed, Proposal
from headstart.heads.head import Head
from headstart.heads.layers import in_context
from headstart.heads.problem import Problem
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Array, Kind

if TYPE_CHECKING:
    from headstart.table_prior.weights import Weights

__all__ = ["InContext"]


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
        table = ContextTable.of(problem, columns=self.columns, axes=self.axes)
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


class _Context(NamedTuple):
    """arrays   what `layers.in_context` reads, and the linear layer above
    account  of the head
    """

    arrays: dict[str, Array]
    account: dict[str, Any]

    @classmethod
    def of(
        cls, options: InContext, problem: Problem, table: ContextTable, training_rows: Array, network: Weights
    ) -> _Context:
        """Of the training rows (N,) bool of a problem."""
        rows = context_rows(problem, training_rows, options.rows)
        if problem.kind.has_classes:
            codes, layer = _coded(problem, rows, training_rows, options.members)
            symbols = int(codes.max()) + 1
        else:
            codes, layer = standardised_values(problem, rows)
            symbols = 0
        arrays = context_arrays(table, rows, codes, symbols, network) | layer
        account = {"context": len(rows), "problems": codes.shape[1], "weights": network.about}
        return cls(arrays, account)

    def logits(self, rows: Array) -> Array:
        """(N, C) of rows (N, K) of the table."""
        return np.asarray(in_context(rows, self.arrays) @ self.arrays["weight.0"] + self.arrays["bias.0"])

    def head(self, kind: Kind, table: ContextTable) -> Head:
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
