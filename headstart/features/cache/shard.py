"""A shard: some rows of one namespace of the cache, in one file that is written once and never changed.

The file is two .npy arrays one after the other, keys uint8 (n, 32) and values (n, width), and its name is the BLAKE3
of its content. A file cut short by a crash, or damaged later, therefore does not match its name and is not believed.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np
from blake3 import blake3

from headstart.tasks.task import Array

__all__ = ["KEY", "SUFFIX", "Damaged", "read_keys", "read_shard", "write_file", "write_shard"]

KEY = 32
SUFFIX = ".npy"
_NAME = 32


class Damaged(Exception):
    """The file is not what its name promises."""


def write_shard(folder: Path, keys: Array, values: Array) -> Path:
    """Store values (n, width) under keys uint8 (n, 32); whole or not at all. OSError where it cannot be written."""
    buffer = BytesIO()
    np.save(buffer, keys, allow_pickle=False)
    np.save(buffer, np.ascontiguousarray(values), allow_pickle=False)
    content = buffer.getbuffer()
    path = folder / (blake3(content).hexdigest()[:_NAME] + SUFFIX)
    write_file(path, content)
    return path


def write_file(path: Path, content: bytes | memoryview) -> None:
    """Written under a temporary name, flushed to the disk, then renamed: readers see all of it or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_keys(path: Path, width: int, dtype: np.dtype[np.generic]) -> list[bytes]:
    """The keys alone, and whether the file has the size that they ask for. `Damaged` if not, OSError if it is gone."""
    with open(path, "rb") as file:
        keys = _read_array(file)
        shape, stored_dtype = _read_header(file)
        left = os.fstat(file.fileno()).st_size - file.tell()
    expected = len(keys) * width * dtype.itemsize
    if keys.shape[1:] != (KEY,) or (shape, stored_dtype, left) != ((len(keys), width), dtype, expected):
        raise Damaged(path.name)
    data = keys.tobytes()
    return [data[at : at + KEY] for at in range(0, len(data), KEY)]


def read_shard(path: Path) -> Array:
    """The values (n, width), after checking the whole file against its name. `Damaged` if it does not match."""
    content = path.read_bytes()
    if blake3(content).hexdigest()[:_NAME] != path.stem:
        raise Damaged(path.name)
    file = BytesIO(content)
    _read_array(file)
    return _read_array(file)


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and type of the array that begins here, leaving its values to be read."""
    try:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    except (ValueError, EOFError) as error:
        raise Damaged(str(error)) from error
    return shape, dtype


def _read_array(file: IO[bytes]) -> Array:
    try:
        return np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise Damaged(str(error)) from error
