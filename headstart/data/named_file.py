"""The file that a cell of a table, or an item of a list, names."""

from __future__ import annotations

import os

from headstart.errors import DataError

__all__ = ["named_file"]


def named_file(name: str, folder: str, noun: str) -> str:
    """Its path, from the folder of the table on; backslashes may part folders. `DataError` where there is no such file,
    with what it should hold (a picture, a recording)."""
    path = os.path.join(folder, name)
    for candidate in (path, os.path.join(folder, name.replace("\\", "/"))):
        if os.path.isfile(candidate):
            return candidate
    if not name.strip():
        raise DataError(f"no {noun} is named")
    raise DataError(f"a folder, not a file: {path!r}" if os.path.isdir(path) else f"no such file: {path!r}")
