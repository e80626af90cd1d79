"""What a network that answers in context is given of a problem: the table, the rows of the context, their answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headstart.heads.layers import SYMBOLS
from headstart.heads.problem import Problem
from headstart.heads.standardize import standard
from headstart.linalg.blas import at_once
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from headstart.table_prior.weights import Weights

__all__ = [
    "NONE",
    "ContextTable",
    "by_fold",
    "codebook",
    "context_arrays",
    "context_rows",
    "network_weights",
    "standardised_values",
]

NONE = "none"
"""As weights: no network."""
CODES = 12
"""Problems of more classes than `SYMBOLS`."""


def by_fold(folds: Array, answer: Callable[[Array], Array]) -> list[Array]:
    """What `answer` says of the rows (N,) bool of each fold, two folds at a time on one thread each: threads within a
    pass over so few rows wait for each other longer than they calculate."""
    from headstart.linalg.torch_threads import one_torch_thread

    def answered(fold: int) -> Array:
        with one_torch_thread():
            return answer(folds == fold)

    return at_once(answered, range(folds.max() + 1))


@cache
def network_weights(folder: str) -> Weights:
    """Of a folder, or ("") that come with the package, or ("none") of a network that has not learnt."""
    from headstart.table_prior.weights import read_weights, shipped, untrained

    if folder == NONE:
        return untrained()
    return read_weights(Path(folder)) if folder else shipped()


class ContextTable(NamedTuple):
    """rows     (N, K) as the network takes them, in the order of the problem
    below    the arrays of a head that make them of features
    """

    rows: Array
    below: dict[str, Array]

    @classmethod
    def of(cls, problem: Problem, *, columns: int, axes: int) -> ContextTable:
        """Standardised columns, or the first principal axes. ValueError where there are too many columns."""
        if problem.scale != "each":
            return cls._turned(problem, axes)
        width = problem.features.shape[1]
        if width > columns:
            raise ValueError(
                f"the table has {width} columns once its categories are columns of their own, and the network of "
                f"tables reads up to {columns}: leave columns out, or use 'trees' or 'probe'"
            )
        std = standard(problem.features, problem.order, problem.weights)
        return cls(std.apply(problem.features[problem.order]), {"mean": std.mean, "scale": std.scale})

    @classmethod
    def _turned(cls, problem: Problem, axes: int) -> ContextTable:
        basis = problem.basis
        width = len(basis.squares) - 1
        turn = basis.lift(np.eye(width)[:, :axes]) / basis.standard.scale[:, None]
        shift = -basis.standard.mean @ turn
        rows = problem.features[problem.order].astype(np.float64) @ turn + shift
        plain = {"mean": np.zeros(rows.shape[1]), "scale": np.ones(rows.shape[1])}
        return cls(rows, {"turn": turn, "shift": shift, **plain})


def context_rows(problem: Problem, training_rows: Array, at_most: int) -> Array:
    """The numbers of the training rows (N,) bool that count, rising; of more than `at_most` so many are drawn."""
    rows = np.flatnonzero(training_rows & (problem.weights > 0))
    if len(rows) <= at_most:
        return rows
    drawn = np.random.default_rng(problem.seed).permutation(len(rows))[:at_most]
    return np.sort(rows[drawn])


def context_arrays(
    table: ContextTable, rows: Array, answers: Array, symbols: int, network: Weights
) -> dict[str, Array]:
    """What `layers.in_context` reads: these rows of the table, their answers (n, E), and the network."""
    return {
        "context": table.rows[rows].astype(np.float32),
        "answers": answers.astype(np.float32),
        "network": network.vector.numpy(),
        "design": np.array([symbols, *network.design], dtype=np.float64),
    }


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


def standardised_values(problem: Problem, rows: Array) -> tuple[Array, Array, Array]:
    """(n, 1) standardised values of the rows, and W (1, 1) and b (1,) back from them."""
    values = problem.targets[rows]
    mean, spread = values.mean(), values.std()
    spread = spread if spread > 1e-12 * max(1.0, abs(mean)) else 1.0
    return ((values - mean) / spread)[:, None], np.array([[spread]]), np.array([mean])
