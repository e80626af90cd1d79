"""Answers in context: a network that was fitted to a prior of tables reads the training rows and answers for others.

    logits = a W log p(. | x, rows) + (1 - a) W log s(. | x, rows) + b        values: the same of their means

with p the network, s the kernel smoothers that it begins from, and W the mean over E problems in which classes have
other symbols (Hollmann et al., 2023). Nothing is learnt but what the rows say, in one forward pass (`table_prior`); a
is settled on the folds. Up to 1,000 rows are the context, drawn from more; up to 100 columns, or
16 principal axes of features that have one unit; of more than 10 classes several share a symbol in each problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from headstart.data.splits.folds import merged
from headstart.heads.context import (
    ContextTable,
    by_fold,
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
    """weights   a folder with those of the network; "": those that come with the package; "none": no network, what
              the smoothers say
    rows      of the context, at most
    columns   at most; axes: of features of one unit, at most
    members   problems of up to 10 classes that are averaged, at most; cells: of the context, over all of these
    shares    of the network, among which the folds decide
    most_folds  more folds than these are merged into these
    """

    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION)
    weights: str = ""
    rows: int = 1000
    columns: int = 100
    axes: int = 16
    members: int = 4
    cells: int = 32_000
    shares: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    most_folds: int = 5

    def suits(self, problem: Problem) -> bool:
        """Whether it can answer such a task of so many columns."""
        narrow = problem.scale != "each" or problem.features.shape[1] <= self.columns
        return narrow and problem.kind in self.kinds

    def propose(self, problem: Problem) -> Proposal:
        """The head whose context are all rows, or some; out of fold, those of other folds.

        The network's share is the one of `shares` whose out-of-fold answers have the least loss (stacking: Wolpert,
        1992): tables unlike its prior are left to the smoothers, and the network is then not kept.
        """
        from headstart.table_prior.weights import smoothers_of

        self.check(problem.kind)
        table = ContextTable.of(problem, columns=self.columns, axes=self.axes)
        network = network_weights(self.weights)
        folds = merged(problem.folds, problem.kind.codes(problem.targets), self.most_folds)
        out = np.empty((2, len(table.rows), problem.columns))

        def answer(left_out: Array) -> Array:
            return _Context.of(self, problem, table, ~left_out, network).both(table.rows[left_out])

        out[:, np.argsort(folds, kind="stable")] = np.concatenate(by_fold(folds, answer), axis=1)
        stacked = {share: share * out[0] + (1 - share) * out[1] for share in self.shares}
        if problem.kind.has_classes:
            stacked = {share: problem.filled(logits) for share, logits in stacked.items()}
        losses = {share: problem.score(logits).loss for share, logits in stacked.items()}
        share = min(losses, key=lambda share: losses[share])
        everything = np.ones(len(folds), dtype=bool)

        def finish() -> Head:
            kept = network if share else smoothers_of(network)
            context = _Context.of(self, problem, table, everything, kept)
            return context.head(problem.kind, table, share, {"losses": {str(s): loss for s, loss in losses.items()}})

        return Proposal(stacked[share], finish)

    def problems(self, rows: int, columns: int) -> int:
        """How many are averaged of so many rows in context: fewer of large tables, which say more themselves."""
        return int(np.clip(self.cells // (rows * (columns + 1)), 1, self.members))


class _Context(NamedTuple):
    """arrays   what `layers.in_context` reads, and the bias
    weight   W (E S, C) or (1, 1)
    about    where the weights of the network come from
    """

    arrays: dict[str, Array]
    weight: Array
    about: str

    @classmethod
    def of(
        cls, options: InContext, problem: Problem, table: ContextTable, training_rows: Array, network: Weights
    ) -> _Context:
        """Of the training rows (N,) bool of a problem."""
        rows = context_rows(problem, training_rows, options.rows)
        if problem.kind.has_classes:
            members = options.problems(len(rows), table.rows.shape[1]) if network.design.layers else 1
            codes, weight, bias = _coded(problem, rows, training_rows, members)
            symbols = int(codes.max()) + 1
        else:
            codes, weight, bias = standardised_values(problem, rows)
            symbols = 0
        arrays = context_arrays(table, rows, codes, symbols, network) | {"bias.0": bias}
        return cls(arrays, weight, network.about)

    def both(self, rows: Array) -> Array:
        """(2, N, C) logits of rows (N, K) of the table: of the network, and of the smoothers."""
        halves = np.split(in_context(rows, self.arrays), 2, axis=1)
        return np.stack([half @ self.weight for half in halves]) + self.arrays["bias.0"]

    def head(self, kind: Kind, table: ContextTable, share: float, account: dict[str, Any]) -> Head:
        """With the network's share in its answers."""
        weight = np.concatenate([share * self.weight, (1 - share) * self.weight])
        context, problems = len(self.arrays["context"]), self.arrays["answers"].shape[1]
        account = {"context": context, "problems": problems, "weights": self.about, "network": share, **account}
        arrays = table.below | self.arrays | {"weight.0": weight}
        return Head(name="incontext", kind=kind, arrays=arrays, facts=FitterFacts(account=account))


def _coded(problem: Problem, rows: Array, training_rows: Array, members: int) -> tuple[Array, Array, Array]:
    """(n, E) symbols of the rows, and W (E S, C) and b (C,) from log p of symbols to logits of classes.

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
    return codes, weight, bias
