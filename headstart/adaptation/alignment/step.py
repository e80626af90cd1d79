"""What an alignment is, and what it makes: source features that look like the target's, weights, and the map itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from headstart.tasks.task import Array

__all__ = ["Align", "Aligned", "Domains", "Turn", "unmoved"]


class Domains(NamedTuple):
    """Features of two tasks with the same columns, and what is known of their answers.

    source     (n, d) float64, finite
    targets    (n,) what the source rows answer: class codes 0..C-1, or float64 values of a regression
    target     (m, d) float64, finite, no row of which is a test row
    known      (m,) what the target rows answer, in the same codes; where nothing is known -1 in classification, NaN in
               regression. None where no target label may be used
    classes    C; 0 in regression
    weights    (n,) of the source rows as they came, mean 1; None: all alike
    """

    source: Array
    targets: Array
    target: Array
    known: Array | None = None
    classes: int = 0
    weights: Array | None = None


class Aligned(NamedTuple):
    """What a head is fitted on, and how a target row comes before it.

    source     (n', k) features to learn from, mostly the source rows where they have been moved to
    targets    (n',) their answers
    weights    (n',) non-negative, mean 1; None: all alike
    move       (q, d) features of target rows, any number of them -> (q, k), as the head sees them
    facts      what the step found out, as plain JSON for the reader: costs, effective sample size, chosen widths
    of         (n',) which row each is: 0 to n - 1 of the source, n to n + m - 1 of the target; None: the source's,
               in their order
    of_target  whether answers of target rows are learnt from
    """

    source: Array
    targets: Array
    weights: Array | None
    move: Callable[[Array], Array]
    facts: dict[str, object]
    of: Array | None = None
    of_target: bool = False


@runtime_checkable
class Align(Protocol):
    """A step on features: a keyword-only dataclass of its options, called with the two tasks.

    Raises ValueError in words where the step cannot be done: fewer rows than it needs, a class of one row, no target
    label where it needs some, regression where it is for classes.
    """

    def __call__(self, domains: Domains) -> Aligned: ...


@dataclass(frozen=True, eq=False)
class Turn:
    """x -> A'x + b, and then to length 1 if `unit` (a row of length 0 stays): A (d, k), b (k,)."""

    A: Array
    b: Array
    unit: bool = False

    def __call__(self, rows: Array, /) -> Array:
        """(q, d) -> (q, k)."""
        turned = rows @ self.A + self.b
        if self.unit:
            lengths = np.linalg.norm(turned, axis=1, keepdims=True)
            turned /= np.where(lengths > 0, lengths, 1.0)
        return np.asarray(turned)


def unmoved(rows: Array) -> Array:
    """Target features as they are."""
    return rows
