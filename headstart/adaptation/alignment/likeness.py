"""The linear transductive kernel in closed form: likeness to the rows of both tasks, in as many columns as there were.

    C = Z'Z / (n + m) over the rows Z of both tasks;    x  ->  C^1/2 x / |C^1/2 x|     for source and target rows alike

    for then  phi^(x)'phi^(x') = x'C x' / (|C^1/2 x| |C^1/2 x'|)  with  phi(x) = Z x:  `Transductive(kernel="linear")`

Directions along which rows are long count for more, and every row counts alike. Use it on features of a language
model, with a linear head. Not where what tells classes apart hardly varies. Linear in rows: n d^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.adaptation.alignment.checks import rows_of_both
from headstart.adaptation.alignment.step import Aligned, Domains, Turn
from headstart.linalg.moments import blocks, power
from headstart.tasks.task import Array

__all__ = ["Likeness"]


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """Rows of length 1, turned by the root of the second moment of both tasks."""

    def root(self, domains: Domains) -> Array:
        """(d, d) C^1/2."""
        second = np.zeros((domains.source.shape[1],) * 2)
        for rows in (domains.source, domains.target):
            for part in blocks(len(rows)):
                second += rows[part].T @ rows[part]
        return power(second / (len(domains.source) + len(domains.target)), 0.5, "second moment's")

    def __call__(self, domains: Domains) -> Aligned:
        """Source rows (n, d) -> (n, d). Raises ValueError: other columns, no rows, not finite."""
        rows_of_both(domains, 1, "to be like")
        root = self.root(domains)
        move = Turn(root, np.zeros(len(root)), unit=True)
        return Aligned(move(domains.source), domains.targets, domains.weights, move, {})
