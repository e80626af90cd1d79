"""The task: data and a question about it. What every reader returns and everything else starts from."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from headstart.tasks.kind import Array, Kind, kind_named
from headstart.tasks.modality import Modality, modality_named

__all__ = ["Array", "ColumnType", "Columns", "Foreign", "Inputs", "Kind", "Modality", "SetAside", "Task"]

ColumnType = Literal[
    "number", "number comma", "truth", "date", "date day first", "date month first", "duration", "words", "other"
]
Inputs = list[Any] | pd.DataFrame | Array


class SetAside(NamedTuple):
    """One input that could not be used: which, and why. Never dropped without being named and counted.

    place   its position among the input rows as they were read, from 0; None for what is no row (a file of another
            kind, a folder that cannot be read)
    """

    name: str
    why: str
    place: int | None = None


class Foreign(SetAside):
    """A row that is whole, and whose label only is not one that the model or the source knows."""

    __slots__ = ()


class Columns(NamedTuple):
    """Which column of a table plays which role; `None` where there is none.

    classes   the names of the places of multi-hot targets, where they have names
    types   of the inputs of a table and of the target, by name: what is read later is read alike
    """

    input: tuple[str, ...] = ()
    target: str | None = None
    split: str | None = None
    group: str | None = None
    domain: str | None = None
    weight: str | None = None
    classes: tuple[str, ...] = ()
    types: tuple[tuple[str, ColumnType], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Task:
    """Inputs, targets, and what is known about each row.

    inputs    N rows. image: list of path strings, PIL pictures or whole numbers (H, W[, C]); text: list of str;
              table: DataFrame of the input columns; array: float array (N, D)
    targets   classification: int64 codes (N,) into `classes`; regression: float64 (N,); multilabel: uint8 (N, C);
              None where nothing is known (prediction)
    kind, modality   given by name or as values
    classes   the labels in a fixed order (sorted; of multi-hot targets in the order of their places); empty for
              regression
    names     (N,) what to call each row in a message: a path, or "row 17"
    places    (N,) position of each row among the input rows as they were read, from 0, those set aside counted too;
              None where no row was set aside and none moved: row i is input row i
    split     (N,) "train", "val" or "test" where the data came split, else None
    unlearnt  (N,) a tuple of those labels of each row that are no `classes`, of rows to test on; None where all are
    weight    (N,) float64 from 0 up, how much each row counts in a fit (scores count all rows alike); None: all alike
    group, domain   (N,) labels, else None. Rows of one group never straddle a split
    counters   columns that are left out since they count the rows, and what their order tells of the targets
    """

    inputs: Inputs
    targets: Array | None
    kind: Kind
    modality: Modality
    classes: tuple[Hashable, ...] = ()
    names: Sequence[str] = ()
    places: Array | None = None
    split: Array | None = None
    unlearnt: Array | None = None
    group: Array | None = None
    domain: Array | None = None
    weight: Array | None = None
    columns: Columns | None = None
    set_aside: tuple[SetAside, ...] = ()
    counters: tuple[SetAside, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", kind_named(self.kind))
        object.__setattr__(self, "modality", modality_named(self.modality))

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def positions(self) -> npt.NDArray[np.int64]:
        """`places`, or where there are none, those of rows that are all there and in order."""
        return np.arange(len(self)) if self.places is None else self.places

    @property
    def n_read(self) -> int:
        """How many input rows were read, as far as their places tell: those here, and those set aside."""
        aside = [item.place for item in self.set_aside if item.place is not None]
        return 1 + max(max(aside, default=-1), int(self.positions.max(initial=-1)))

    def take(self, rows: npt.ArrayLike) -> Task:
        """The same task with only these rows (integer positions), in this order."""
        index = np.asarray(rows, dtype=np.int64)
        return replace(
            self,
            inputs=self.modality.take(self.inputs, index),
            names=[self.names[i] for i in index] if len(self.names) else (),
            targets=_rows(self.targets, index),
            places=self.positions[index],
            split=_rows(self.split, index),
            unlearnt=_rows(self.unlearnt, index),
            group=_rows(self.group, index),
            domain=_rows(self.domain, index),
            weight=_rows(self.weight, index),
        )


def _rows(values: Array | None, index: npt.NDArray[np.int64]) -> Array | None:
    return None if values is None else values[index]
