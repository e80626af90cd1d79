"""A linear head on what the network of tables makes of a row that it reads beside the training rows.

    z_i = [h(x_i; rows of other folds), log p(. | x_i, rows of other folds)]      logits = W z + b

h (D,) is the row after the network's last layer, log p its answers (of a regression their mean). A training row is read
without its own answer, beside the rows of other folds, as a new row is beside all of them: its embedding would hold its
answer otherwise (Ye, Liu and Chao, 2025). Of more than ten classes the embeddings of all problems stand side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, ClassVar

import numpy as np

from headstart.data.splits.folds import merged
from headstart.heads.arrays import EMBEDS
from headstart.heads.basis import principal
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
from headstart.heads.incontext import InContext
from headstart.heads.layers import in_context
from headstart.heads.logistic import Logistic
from headstart.heads.problem import Problem
from headstart.heads.ridge import Ridge
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Array, Kind

__all__ = ["LINEAR", "RowEmbeddings"]

LINEAR: dict[str, type[Posed]] = {"ridge": Ridge, "logistic": Logistic}
"""Heads that stand on row embeddings."""


@dataclass(frozen=True, kw_only=True)
class RowEmbeddings(Posed):
    """linear    which of `LINEAR`
    reading   how the network reads the training rows
    """

    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION)
    linear: str = "logistic"
    reading: InContext = field(default_factory=InContext)

    def propose(self, problem: Problem) -> Proposal:
        """The linear head on the embeddings of rows that were read beside other folds."""
        self.check(problem.kind)
        table = ContextTable.of(problem, columns=self.reading.columns, axes=self.reading.axes)
        folds = merged(problem.folds, problem.kind.codes(problem.targets), self.reading.most_folds)

        def answer(left_out: Array) -> Array:
            return in_context(table.rows[left_out], self._context(problem, table, ~left_out))

        embedded = np.concatenate(by_fold(folds, answer))
        rows = np.empty_like(embedded)
        rows[np.argsort(folds, kind="stable")] = embedded
        proposal = LINEAR[self.linear]().propose(_on(problem, rows))
        return Proposal(proposal.out_of_fold, lambda: self._stacked(problem, table, proposal.finish()))

    def _context(self, problem: Problem, table: ContextTable, training_rows: Array) -> dict[str, Array]:
        """What `layers.in_context` reads; a class has its symbol whether these rows have it or not."""
        rows = context_rows(problem, training_rows, self.reading.rows)
        network = network_weights(self.reading.weights)
        if problem.kind.has_classes:
            book = codebook(problem.classes, 1, problem.seed)
            answers, symbols = book[:, problem.targets[rows]].T, int(book.max()) + 1
        else:
            answers, symbols = standardised_values(problem, rows)[0], 0
        return context_arrays(table, rows, answers, symbols, network) | {EMBEDS: np.ones(1)}

    def _stacked(self, problem: Problem, table: ContextTable, linear: Head) -> Head:
        """The linear head, its standardisation in its weights, above the network that reads all rows."""
        arrays = self._context(problem, table, np.ones(len(table.rows), dtype=bool))
        weight = linear.arrays["weight.0"] / linear.arrays["scale"][:, None]
        bias = linear.arrays["bias.0"] - linear.arrays["mean"] @ weight
        account: dict[str, Any] = {
            **linear.facts.account,
            "context": len(arrays["context"]),
            "weights": network_weights(self.reading.weights).about,
        }
        arrays |= table.below | {"weight.0": weight, "bias.0": bias}
        return Head(name=f"row-{linear.name}", kind=problem.kind, arrays=arrays, facts=FitterFacts(account=account))


def _on(problem: Problem, rows: Array) -> Problem:
    """The same problem on other features (N, D) float64, which stand in its order."""
    order = np.arange(len(rows))
    return replace(
        problem,
        features=rows,
        order=order,
        scale="each",
        axes=cache(lambda: principal(rows, order, problem.weights, "each")),
    )
