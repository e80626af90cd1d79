"""The identity backbone of tables: columns to standardised numbers, learnt from the training rows only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from headstart.errors import ArtefactError, DataError
from headstart.messages import nearest
from headstart.preprocessing.table_cells import kind_of
from headstart.preprocessing.table_columns import CYCLES, Category, Encoded, Moment, Number, Scale
from headstart.tasks.task import Array

__all__ = ["Met", "TableEncoder"]

KIND = "table"
VERSION = 1

Column = Number | Category | Moment


class Met(NamedTuple):
    """What some rows held that an encoder could not use as it stood; see `TableEncoder.report`.

    missing   cells that were empty, NaN or infinite
    unseen    categories that no training row had; in a column of numbers or moments, cells that cannot be read so
    example   the first of the unseen, "" where there is none
    """

    column: str
    missing: int
    unseen: int
    example: str


@dataclass(frozen=True)
class TableEncoder:
    """How the columns of a table become features.

    Numbers and durations are standardised, missing ones become the median with a column that marks them. Categories,
    texts and truth values become 0/1 columns, one for each of the 64 most frequent that occur twice, one for the rest.
    Dates and times become the time and its place in the year, week and day. See `Number`, `Category`, `Moment`.

    left_out   columns that tell no two training rows apart, or no two alike, and why; they are not needed again
    """

    columns: tuple[Column, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    @classmethod
    def fit(cls, frame: pd.DataFrame) -> Self:
        """Learn from the training rows. `DataError` where there are none, or no column that could tell them apart."""
        if not len(frame):
            raise DataError("the table has no rows to learn from; give at least one training row.")
        columns: list[Column] = []
        left_out = []
        for name, label in _labels(frame).items():
            cells = frame[label].rename(name)
            column = _ENCODERS[kind_of(cells)].fit(cells)
            if np.ptp(column.encode(cells).values, axis=0).any():
                columns.append(column)
            else:
                left_out.append((name, _why(cells)))
        if not columns:
            reasons = "; ".join(f"{name!r} {why}" for name, why in left_out[:3]) or "it has no columns"
            raise DataError(f"no column of the table tells its {len(frame)} rows apart: {reasons}. Give other columns.")
        return cls(tuple(columns), tuple(left_out))

    @property
    def names(self) -> tuple[str, ...]:
        """(D,) what to call each feature: "age", "age missing", "city=Rome", "city other", "born week sin"."""
        return tuple(name for column in self.columns for name in column.names)

    @property
    def width(self) -> int:
        """D, how many features a row has."""
        return len(self.names)

    def transform(self, frame: pd.DataFrame) -> npt.NDArray[np.float32]:
        """(N, D) float32, finite. Columns beyond those learnt are ignored.

        `DataError` names a column that is missing. A cell that cannot be read as what its column was counts as
        missing: one bad cell must not stop a run, and `report` tells.
        """
        return np.hstack([encoded.values for encoded in self._encode(frame)])

    def report(self, frame: pd.DataFrame) -> tuple[Met, ...]:
        """The columns in which these rows have missing or unseen cells, and how many. Empty where all is well."""
        labels = _labels(frame)
        affected_columns = []
        for column, encoded in zip(self.columns, self._encode(frame), strict=True):
            missing, unseen = int(encoded.missing.sum()), int(encoded.unseen.sum())
            if missing or unseen:
                example = str(frame[labels[column.column]].iloc[int(encoded.unseen.argmax())]) if unseen else ""
                affected_columns.append(Met(column.column, missing, unseen, example))
        return tuple(affected_columns)

    def state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """(JSON, arrays): all that `from_state` needs."""
        rare = {f"rare.{i}": column.rare for i, column in enumerate(self.columns) if isinstance(column, Category)}
        config = {
            "version": VERSION,
            "columns": [_to_json(column) for column in self.columns],
            "left_out": [list(item) for item in self.left_out],
        }
        return config, rare

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, Array]) -> Self:
        """The encoder that gave this state. `ArtefactError` where it is none."""
        if config.get("version") != VERSION:
            raise ArtefactError(f"table encoder of version {config.get('version')!r}; expected {VERSION}.")
        try:
            columns = tuple(_from_json(item, arrays.get(f"rare.{i}")) for i, item in enumerate(config["columns"]))
            left_out = tuple((str(name), str(why)) for name, why in config["left_out"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactError(f"the table encoder is damaged ({error!r}); take a fresh copy of the model.") from error
        return cls(columns, left_out)

    def _encode(self, frame: pd.DataFrame) -> list[Encoded]:
        labels = _labels(frame)
        for column in self.columns:
            if column.column not in labels:
                near = nearest(column.column, labels)
                hint = f"; nearest: {near!r}" if near else ""
                wanted = ", ".join(repr(fitted.column) for fitted in self.columns[:10])
                raise DataError(f"the table has no column {column.column!r}{hint}; expected the columns {wanted}.")
        return [column.encode(frame[labels[column.column]]) for column in self.columns]


def _labels(frame: pd.DataFrame) -> dict[str, Any]:
    """The column labels by name, in their order."""
    labels = {str(label): label for label in frame.columns}
    if len(labels) < len(frame.columns):
        names = [str(label) for label in frame.columns]
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"the table has the column {twice!r} more than once; give each column a name of its own.")
    return labels


def _why(cells: pd.Series[Any]) -> str:
    observed = cells.dropna()
    if not len(observed):
        return "is empty"
    return "has the same value in every row" if observed.astype(str).nunique() == 1 else "never has a value twice"


_ENCODERS: dict[str, type[Number] | type[Category] | type[Moment]] = {
    "number": Number,
    "category": Category,
    "moment": Moment,
}


def _to_json(column: Column) -> dict[str, Any]:
    shared = {"kind": column.kind, "column": column.column, "missing": column.missing}
    if isinstance(column, Category):
        return {**shared, "categories": list(column.categories)}
    scale = {"median": column.scale.median, "mean": column.scale.mean, "scale": column.scale.scale}
    return {**shared, **scale, **({"cycles": list(column.cycles)} if isinstance(column, Moment) else {})}


def _from_json(item: dict[str, Any], rare: Array | None) -> Column:
    name, missing = str(item["column"]), bool(item["missing"])
    if item["kind"] == "category":
        if rare is None:
            raise KeyError(f"the rare categories of {name!r}")
        categories = tuple(str(text) for text in item["categories"])
        return Category(column=name, categories=categories, rare=np.asarray(rare, dtype=np.int64), missing=missing)
    scale = Scale(**{key: float(item[key]) for key in ("median", "mean", "scale")})
    if not (np.isfinite([scale.median, scale.mean]).all() and 0 < scale.scale < np.inf):
        raise ValueError(f"the scale of {name!r}")
    if item["kind"] == "number":
        return Number(column=name, scale=scale, missing=missing)
    if item["kind"] != "moment" or not set(item["cycles"]) <= CYCLES.keys():
        raise ValueError(f"kind {item['kind']!r}")
    return Moment(column=name, scale=scale, missing=missing, cycles=tuple(item["cycles"]))
