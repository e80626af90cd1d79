"""A task under inspection: which rows are still in use, while one check after another looks at it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from headstart.data.quality.findings import examples_of, short
from headstart.data.splits.groups import blocks
from headstart.tasks.task import Array, Task

__all__ = ["Inspection"]


@dataclass
class Inspection:
    """The task, its content keys, its near pairs, thumbs of inputs, and the rows that checks have set aside so far."""

    task: Task
    keys: list[bytes]
    near_pairs: Array
    thumbs: Array | None = None
    dropped: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.copy_of = blocks(len(self.task), self.keys)

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """(N,) whether a row is still in use."""
        used = np.ones(len(self.task), dtype=bool)
        used[list(self.dropped)] = False
        return used

    @property
    def given_test(self) -> npt.NDArray[np.bool_]:
        """(N,) whether a row was handed in for testing: such rows are never set aside for what they hold."""
        return np.zeros(len(self.task), bool) if self.task.split is None else np.asarray(self.task.split) == "test"

    def set_aside(self, rows: Iterable[int], why: str) -> None:
        """Take rows out of use. The first reason stays."""
        for row in rows:
            self.dropped.setdefault(int(row), why)

    def name(self, row: int) -> str:
        return str(self.task.names[row]) if len(self.task.names) else f"row {row}"

    def examples(self, rows: Iterable[int]) -> tuple[str, ...]:
        """Up to five rows by name."""
        return examples_of(self.name(int(row)) for row in rows)

    def pair_examples(self, pairs: Iterable[Sequence[int]], *, labels: bool = False) -> tuple[str, ...]:
        """Up to five pairs by name, with their labels or without."""

        def words(row: int) -> str:
            return f"{short(self.name(row))} ({short(self.label(row), 18)})" if labels else short(self.name(row))

        return examples_of(f"{words(first)} = {words(second)}" for first, second in pairs)

    def label(self, row: int) -> str:
        """The label of a row in words."""
        task = self.task
        if task.targets is None or not task.kind.has_classes:
            return "" if task.targets is None else f"{task.targets[row]:.6g}"
        if task.kind.several:
            return ", ".join(str(task.classes[code]) for code in np.flatnonzero(task.targets[row])) or "none"
        return str(task.classes[int(task.targets[row])])
