"""Hugging Face `datasets` as a table: class names for codes, pictures as stored (not decoded), splits by their keys."""

from __future__ import annotations

from typing import Any

import pandas as pd

from headstart.data.split_names import split_of
from headstart.data.tables import Table, of_frame
from headstart.errors import DataError
from headstart.messages import few

__all__ = ["is_dataset", "table_of"]


def is_dataset(source: object) -> bool:
    """Whether this is a Dataset or DatasetDict (not one of its columns); the library need not be there to tell."""
    kind = type(source)
    return kind.__module__.partition(".")[0] == "datasets" and "Column" not in kind.__name__


def table_of(source: Any) -> Table:
    """The table of a Dataset, or of all parts of a DatasetDict that are called train, validation or test.

    Raises DataError for a dataset that is streamed, or a dictionary without such parts.
    """
    if type(source).__name__.startswith("Iterable"):
        raise DataError("a streamed dataset cannot be split or counted: load it without streaming=True")
    if not isinstance(source, dict):
        return of_frame(_frame(source))
    parts = {name: split for name in source if (split := split_of(name))}
    if not parts:
        raise DataError(f"no part of the dataset is called train, validation or test: it has {few(source)}")
    table = of_frame(pd.concat([_frame(source[name]) for name in parts], ignore_index=True))
    table.names = [f"{name} row {row}" for name in parts for row in range(len(source[name]))]
    table.split = [split for name, split in parts.items() for _ in range(len(source[name]))]
    if others := [name for name in source if name not in parts]:
        table.notes.append(f"left out the parts {few(others)}: expected train, validation and test")
    return table


def _frame(dataset: Any) -> pd.DataFrame:
    frame: pd.DataFrame = dataset.to_pandas()
    for name, feature in dataset.features.items():
        inner = getattr(feature, "feature", None)
        if hasattr(feature, "int2str"):
            frame[name] = pd.Series([_label(code, feature) for code in frame[name]], dtype=object)
        elif hasattr(inner, "int2str"):
            rows = [None if codes is None else [_label(code, inner) for code in codes] for codes in frame[name]]
            frame[name] = pd.Series(rows, dtype=object)
    return frame


def _label(code: Any, feature: Any) -> str | None:
    """The name of a class; None where the code says that it is unknown (missing, or -1)."""
    return None if pd.isna(code) or code < 0 else str(feature.int2str(int(code)))
