"""The tensors of a CTranslate2 model file, little-endian:

    uint32 version 6 | string "WhisperSpec" | uint32 revision | uint32 count, then so many times
    string name | uint8 rank | uint32 dims[rank] | uint8 dtype | uint32 bytes | data,  then
    uint32 count | (string alias, string target) so many times

A string is a uint16 length, that of its closing NUL included, and its bytes.
"""

from __future__ import annotations

import struct

import numpy as np
import torch
from torch import Tensor

from headstart.errors import BackboneError

__all__ = ["ctranslate2_tensors"]

_VERSION = 6
_DTYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}
_MOST_RANK = 8


class _Reader:
    """Takes one value after the other; ValueError where fewer bytes are left."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = memoryview(data), 0

    @property
    def left(self) -> int:
        """Bytes that were not taken."""
        return len(self._data) - self._at

    def take(self, size: int) -> memoryview:
        """So many bytes."""
        if size > self.left:
            raise ValueError(f"{size} bytes are announced at byte {self._at}, where {self.left} are left")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, form: str) -> int:
        """An unsigned number: "B", "H" or "I"."""
        (value,) = struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))
        return int(value)

    def string(self) -> str:
        """Without its NUL."""
        raw = bytes(self.take(self.number("H")))
        if not raw.endswith(b"\0"):
            raise ValueError(f"the string {raw[:40]!r} has no end")
        return raw[:-1].decode()


def ctranslate2_tensors(data: bytes, kind: str, where: str) -> dict[str, Tensor]:
    """By name; aliases stand for the same tensor.

    kind   what the model must say that it is, such as "WhisperSpec"

    `BackboneError` for another kind or version, a type that is unknown, sizes that do not fit, and a file cut short.
    """
    try:
        reader = _Reader(data)
        _expect(reader, kind)
        tensors = dict(_tensor(reader) for _ in range(reader.number("I")))
        for _ in range(reader.number("I")):
            alias, target = reader.string(), reader.string()
            if target not in tensors:
                raise ValueError(f"{alias!r} stands for {target!r}, which it does not hold")
            tensors[alias] = tensors[target]
        if reader.left:
            raise ValueError(f"{reader.left} bytes stand behind its end")
    except ValueError as error:
        raise BackboneError(f"{where}: not a readable CTranslate2 file ({error}); fetch it again.") from error
    return tensors


def _expect(reader: _Reader, kind: str) -> None:
    version = reader.number("I")
    if version != _VERSION:
        raise ValueError(f"version {version}, expected {_VERSION}")
    stored = reader.string()
    if stored != kind:
        raise ValueError(f"it holds {stored!r}, expected {kind!r}")
    reader.number("I")


def _tensor(reader: _Reader) -> tuple[str, Tensor]:
    name, rank = reader.string(), reader.number("B")
    if rank > _MOST_RANK:
        raise ValueError(f"{name!r} has {rank} dimensions")
    shape = [reader.number("I") for _ in range(rank)]
    code, size = reader.number("B"), reader.number("I")
    if code not in _DTYPES:
        raise ValueError(f"{name!r} is of type {code}, expected one of {', '.join(map(str, _DTYPES))}")
    dtype = np.dtype(_DTYPES[code])
    expected = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    if size != expected:
        raise ValueError(f"{name!r} of shape {shape} has {size} bytes, expected {expected}")
    array = np.frombuffer(reader.take(size), dtype).reshape(shape)
    return name, torch.from_numpy(array.astype(dtype.newbyteorder("=")))
