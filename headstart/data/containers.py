"""What is a list of inputs, or of targets: every container that people hold them in, as one of three.

    list      items by position: of a list, tuple, deque, range or any other sequence, a generator, a dictionary's keys
              or values; a pandas Series, Index or extension array, a pyarrow, polars or Hugging Face column, a torch or
              NumPy array of one dimension, and (N, 1) strings, paths or pictures
    array     numbers, words or pixels in two dimensions or more: NumPy (masked cells become NaN or None), torch, or
              anything with `__array__`
    table     a pandas, pyarrow or polars table, a Hugging Face dataset, a structured array, a dictionary of columns, a
              list of dictionaries, or anything with `to_pandas`, `to_dataframe` or `__arrow_c_stream__`

One input alone (a picture, a path, the bytes of a picture file, uint8 pixels (H, W, 1, 3 or 4)) is a list of one. An
index says nothing: rows go by their position. What has no order (a set) or no end in sight (a lazy table, a stream, an
open file) is refused by name.
"""

from __future__ import annotations

import array
import io
import os
from collections.abc import Iterator, KeysView, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from headstart.data.bit_depth import DEEP_DTYPES
from headstart.data.huggingface import is_dataset, table_of
from headstart.data.images import is_picture, is_stored
from headstart.data.sounds import is_sound
from headstart.data.tables import Table, of_frame
from headstart.errors import DataError
from headstart.tasks.task import Array

__all__ = ["contained"]

EXPECTED = (
    "expected a path, a list of paths, pictures or texts, a NumPy array, a pandas or pyarrow table, or a Hugging Face "
    "dataset"
)
WAY_OUT = {
    ("polars", "LazyFrame"): "call .collect() first",
    ("dask", ""): "call .compute() first",
    ("pyspark", ""): "call .toPandas() first",
    ("torch", "DataLoader"): "collect its batches with torch.cat first",
    ("datasets", "IterableColumn"): "load the dataset without streaming=True",
}
"""(library, start of the type's name) -> what to do with what has not been read yet."""
BUFFERS = (memoryview, array.array)


def contained(source: Any) -> list[Any] | Array | Table:
    """What a container holds: items, an array of two dimensions or more, or a table. Raises DataError for none."""
    _require_read(source)
    try:
        return _contents(source)
    except (pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta) as error:
        raise DataError(f"a date or duration is further away than can be counted ({error}): leave it out") from error


def _contents(source: Any) -> list[Any] | Array | Table:
    if isinstance(source, Table):
        return source
    if isinstance(source, Image.Image | os.PathLike | bytes | bytearray):
        return [bytes(source) if isinstance(source, bytearray) else source]
    if isinstance(source, str):
        raise DataError(f"{source!r:.80} is one string: give a list of texts or paths; folders and files go to fit")
    if is_dataset(source):
        return table_of(source)
    if isinstance(source, Mapping):
        return [source] if is_stored(source) or is_sound(source) else of_frame(_columns(source))
    if (table := _table(source)) is not None:
        return of_frame(table)
    if (items := _items(source)) is not None:
        return _records(items)
    if hasattr(source, "__array__") or hasattr(source, "__dlpack__") or isinstance(source, BUFFERS):
        values: list[Any] | Array = _array(_numpy(source))
        return values
    raise DataError(f"a {type(source).__name__} cannot be read: {EXPECTED}")


def _require_read(source: Any) -> None:
    """Raises DataError for what has no order, or has not been read yet."""
    kind = type(source).__name__
    library = type(source).__module__.partition(".")[0]
    if isinstance(source, AbstractSet) and not isinstance(source, KeysView):
        raise DataError(f"a {kind} has no order, so that its items belong to no rows: give a list")
    if isinstance(source, io.IOBase):
        raise DataError(f"an open file ({kind}) cannot be read: give its path, or its lines as a list")
    if hasattr(source, "toarray") and hasattr(source, "nnz"):
        raise DataError(f"a sparse {kind} cannot be read: make it dense with .toarray()")
    for (owner, start), way_out in WAY_OUT.items():
        if library == owner and kind.startswith(start):
            raise DataError(f"a {owner} {kind} has not been read yet: {way_out}")


def _table(source: Any) -> pd.DataFrame | None:
    """The pandas form of what is a table of columns, or None."""
    if isinstance(source, pd.DataFrame):
        return source
    if isinstance(source, pd.MultiIndex):
        return source.to_frame(index=False)
    if isinstance(source, np.ndarray) and source.dtype.names:
        return pd.DataFrame({name: _array(source[name]) for name in source.dtype.names})
    if _is_column(source) or hasattr(source, "dims"):
        return source.to_dataframe().reset_index() if hasattr(source, "data_vars") else None
    for way in ("to_pandas", "to_dataframe"):
        if hasattr(source, way):
            table = _optional(getattr(source, way), source)
            return table if isinstance(table, pd.DataFrame) else None
    if hasattr(source, "__arrow_c_stream__"):
        import pyarrow

        return pd.DataFrame(pyarrow.table(source).to_pandas())
    return None


def _optional(convert: Any, source: Any) -> Any:
    """What a table's own conversion to pandas gives, which for polars needs pyarrow."""
    try:
        return convert()
    except ImportError as error:
        kind = f"{type(source).__module__.partition('.')[0]} {type(source).__name__}"
        raise ImportError(f"reading a {kind} needs pyarrow: pip install 'headstart[parquet]'") from error


def _is_column(source: Any) -> bool:
    """Whether it is one column of pandas, pyarrow, polars or the like, rather than a table of them."""
    if isinstance(source, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        return True
    return (hasattr(source, "to_pylist") and not hasattr(source, "schema")) or type(source).__name__ == "Series"


def _columns(columns: Mapping[Any, Any]) -> pd.DataFrame:
    """A dictionary of columns of one length."""
    series = {}
    for name, column in columns.items():
        if isinstance(column, str | bytes | int | float | bool | None) or getattr(column, "ndim", 1) == 0:
            raise DataError(
                f"a {type(columns).__name__} whose {str(name)!r} is one {type(column).__name__}, {column!r:.60}: "
                "expected a column of values under each name; one row goes in a list, [row]"
            )
        values = contained(column)
        if isinstance(values, Table):
            raise DataError(f"a dictionary of tables cannot be read ({str(name)!r} is one): give one table")
        numbers = isinstance(column, np.ndarray | pd.Series) and column.ndim == 1
        series[name] = pd.Series(column).reset_index(drop=True) if numbers else pd.Series(list(values))
    lengths = {str(name): len(values) for name, values in series.items()}
    if len(set(lengths.values())) > 1:
        details = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        raise DataError(f"the columns of a dictionary differ in length ({details:.200}): expected one length")
    return pd.DataFrame(series)


def _items(source: Any) -> list[Any] | None:
    """The items of what has one dimension; None for everything else."""
    if isinstance(source, pd.Series | pd.Index):
        return list(source.tolist())
    if isinstance(source, pd.api.extensions.ExtensionArray):
        return list(pd.Series(source).tolist())
    for way in ("to_pylist", "to_list"):  # pyarrow; polars and what is like it
        if hasattr(source, way):
            return list(getattr(source, way)())
    if isinstance(source, np.ndarray) and source.ndim == 1:
        return _values(source)
    if isinstance(source, KeysView | ValuesView | Iterator | Sequence) and not isinstance(source, BUFFERS):
        return list(source)
    return None


def _values(cells: Array) -> list[Any]:
    """The cells of (N,) as Python's own; None, or NaN, where they are masked."""
    cells = _unmasked(cells)
    return list(pd.Series(cells).tolist() if cells.dtype.kind in "mM" else cells.tolist())


def _records(items: list[Any]) -> list[Any] | Table:
    """Items with tensors and scalars of other libraries made plain; dictionaries, one a row, are a table."""
    kinds = set(map(type, items))
    if kinds <= {str, int, float, bool, type(None)}:
        return items
    plain = [_item(item) for item in items] if any(map(_is_foreign, kinds)) else items
    if plain and all(isinstance(item, Mapping) and not (is_stored(item) or is_sound(item)) for item in plain):
        return of_frame(pd.DataFrame.from_records([dict(item) for item in plain]))
    return plain


def _is_foreign(kind: type) -> bool:
    return issubclass(kind, np.generic) or hasattr(kind, "detach") or hasattr(kind, "as_py")


def _item(item: Any) -> Any:
    """One item: a scalar of NumPy, pyarrow or torch as Python's own, a tensor as an array."""
    if hasattr(item, "as_py"):
        return item.as_py()
    if isinstance(item, np.generic):
        return item if isinstance(item, np.datetime64 | np.timedelta64) else item.item()
    if not hasattr(item, "detach"):
        return item
    values = _numpy(item)
    return values.item() if values.ndim == 0 else values


def _numpy(source: Any) -> Array:
    """A tensor or any other array as NumPy's; bfloat16 and the like, which NumPy lacks, as float32."""
    if hasattr(source, "detach"):
        if source.device.type == "meta" or str(source.layout) != "torch.strided":
            kind = "meta" if source.device.type == "meta" else "sparse"
            raise DataError(f"a {kind} tensor cannot be read: give a dense one, such as x.to_dense()")
        source = source.detach().cpu().resolve_conj().resolve_neg()
        source = source.float() if source.is_floating_point() and source.element_size() < 4 else source
        return np.asarray(source.numpy())
    values = source if isinstance(source, np.ma.MaskedArray) else np.asarray(source)
    if values.dtype.kind == "V" and values.dtype.names is None and values.dtype.name.startswith(("bfloat", "float")):
        values = values.astype(np.float32)
    return values


def _array(values: Array) -> Any:
    """(N, ...) as it is, but (N,) and (N, 1) of strings, paths or pictures as a list."""
    if values.ndim == 0:
        raise DataError(f"Expected 2D array, got 0D array instead ({values!r:.60}): give a list of inputs")
    values = _unmasked(values)
    if values.ndim == 1:
        return _values(values)
    if values.ndim == 2 and values.shape[1] == 1 and values.dtype.kind in "OUST":
        column = values[:, 0].tolist()
        if any(isinstance(cell, str | os.PathLike) or is_picture(cell) for cell in column):
            return column
    pixels = values.ndim == 3 and values.dtype in (np.uint8, *DEEP_DTYPES) and values.shape[2] in (1, 3, 4)
    return [values] if pixels else values


def _unmasked(values: Array) -> Array:
    """The array with NaN (numbers) or None (others) in place of what is masked."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if not values.mask.any():
        return np.asarray(values.data)
    if values.dtype.kind in "biuf":
        return np.where(np.ma.getmaskarray(values), np.nan, values.data.astype(np.float64))
    cells = np.array(values.data, dtype=object)
    cells[np.ma.getmaskarray(values)] = None
    return cells
