"""The file that answers are written to: asked before any work whether it can be, then written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

__all__ = ["FEATURE_SUFFIXES", "SUFFIXES", "Content", "Destination", "check_file"]

SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
FEATURE_SUFFIXES = (".npy", *SUFFIXES)
_MODEL, _HEAD = b'"headstart-model"', 1 << 16
_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def check_file(path: str | os.PathLike[str], *, inputs: Iterable[str] = ()) -> Path:
    """The path if a file can be written there, else ValueError that says what to do.

    inputs   paths that are read, none of which may be written over
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise ValueError(f"{path} is a folder: name a file to write, such as {Path(path) / 'predictions.csv'}")
    if not target.parent.is_dir():
        raise ValueError(f"{path} cannot be written, since there is no folder {target.parent}: create it first")
    if _holds_model(target.parent):
        raise ValueError(f"{path} lies in the folder of a saved model: write to a folder of another name")
    if target.exists():
        if not target.is_file():
            raise ValueError(f"{path} is not a regular file: name one")
        if not os.access(target, os.W_OK):
            raise ValueError(f"{path} is read-only: name another file, or make it writable")
        if any(os.path.exists(name) and os.path.samefile(name, target) for name in inputs):
            raise ValueError(f"{path} is read as data and would be written over: name another file")
    probe = _beside(target)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise ValueError(
            f"{path} cannot be written ({error.strerror}): name a file in a folder that may be written to"
        ) from error
    return target


class Content(Protocol):
    """What can be written: as records, as a table of columns, and as one document."""

    def rows(self) -> list[dict[str, Any]]: ...

    def columns(self) -> dict[str, list[Any]]: ...

    def to_json(self) -> dict[str, Any]: ...


class Destination:
    """A file to be, whose suffix says its format.

    path     .csv, .tsv, .jsonl, .json or .parquet
    suffix   the format, whatever the path says
    inputs   paths that are read, none of which may be written over
    formats  the suffixes there are

    Raises ValueError where the suffix is another or the file cannot be written, and ImportError for Parquet without
    pyarrow: before any work is done.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        suffix: str | None = None,
        inputs: Sequence[str] = (),
        formats: Sequence[str] = SUFFIXES,
    ) -> None:
        self.path = check_file(path, inputs=inputs)
        self.suffix = suffix or os.path.splitext(path)[1].lower()
        if self.suffix not in formats:
            expected = " or ".join(filter(None, [", ".join(formats[:-1]), formats[-1]]))
            raise ValueError(f"{path}: the suffix {self.suffix!r} names no format: expected {expected}")
        if self.suffix == ".parquet":
            _pyarrow()

    def write(self, content: Content) -> None:
        """Write the records (JSON lines), the table (CSV, TSV, Parquet) or the document (JSON). Text is UTF-8.

        Raises OSError where the disk refuses; what was there before is then there still.
        """
        if self.suffix == ".parquet":
            data = _parquet(content.columns())
        elif self.suffix in _SEPARATORS:
            data = _bytes(_delimited(content.columns(), _SEPARATORS[self.suffix]))
        elif self.suffix == ".jsonl":
            data = _bytes("".join(_json(row, None) + "\n" for row in content.rows()))
        else:
            data = _bytes(_json(content.to_json(), 2) + "\n")
        self.put(data)

    def put(self, data: bytes) -> None:
        """Write these bytes, whole or not at all. Raises OSError as `write` does."""
        staged = _beside(self.path)
        try:
            with open(staged, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if self.path.exists():
                os.chmod(staged, stat.S_IMODE(self.path.stat().st_mode))
            os.replace(staged, self.path)
        except OSError as error:
            why = f"cannot be written ({error.strerror}); nothing was changed"
            raise OSError(error.errno, why, str(self.path)) from error
        finally:
            staged.unlink(missing_ok=True)


def _beside(target: Path) -> Path:
    """A hidden path beside `target` (same disk, so that a rename is one step) that nobody uses."""
    return target.parent / f".{target.name[:40]}.{secrets.token_hex(8)}.tmp"


def _holds_model(folder: Path) -> bool:
    try:
        return _MODEL in (folder / "config.json").read_bytes()[:_HEAD]
    except OSError:
        return False


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _json(value: Any, indent: int | None) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)


def _delimited(columns: dict[str, list[Any]], separator: str) -> str:
    """RFC 4180: a field with separators, quotes or line breaks stands in quotes; an answer of several labels is one
    field."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(["; ".join(map(str, cell)) if isinstance(cell, list) else cell for cell in row])
    return text.getvalue()


def _parquet(columns: dict[str, list[Any]]) -> bytes:
    pyarrow, parquet = _pyarrow()
    types = {name: pyarrow.float64() for name in columns if name.startswith("p(")} | {"reason": pyarrow.string()}
    table = pyarrow.table(
        {_whole(name): pyarrow.array(_whole(values), type=types.get(name)) for name, values in columns.items()}
    )
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


def _whole(value: Any) -> Any:
    """The same with half characters (lone surrogates), which no file of UTF-8 holds, as \\ud800."""
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return _bytes(value).decode() if isinstance(value, str) else value


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError("writing Parquet needs pyarrow: pip install 'headstart[parquet]'") from error
    return pyarrow, parquet
