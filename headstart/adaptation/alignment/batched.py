"""Two tasks in pieces: the rows of one cut up in a random order, and beside each piece rows drawn from the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from headstart.tasks.task import Array

__all__ = ["batched"]


def batched(count: int, others: int, batch: int, draw: np.random.Generator) -> Iterator[tuple[Array, Array]]:
    """Row numbers of one task, each once, `batch` at most; with each as many of the other's, or all that it has."""
    for some in np.array_split(draw.permutation(count), -(-count // batch)):
        yield some, draw.choice(others, min(batch, others), replace=False)
