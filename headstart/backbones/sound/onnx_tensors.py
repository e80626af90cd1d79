"""The weights of an ONNX file (ONNX 1.x, Protocol Buffers wire format), without a library of either.

A message is a run of fields, each a varint key = number << 3 | type and a value: type 0 a varint, 1 eight bytes, 2 a
varint length and so many bytes, 5 four bytes. The weights are fields 5 (initializer) of field 7 (graph); of each,
1 dims, 2 data_type (1 = float32), 8 name and 9 raw_data, little-endian.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from headstart.errors import BackboneError

__all__ = ["onnx_tensors"]

_GRAPH, _INITIALIZER = 7, 5
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9
_FLOAT = 1
_FIXED = {1: 8, 5: 4}


def onnx_tensors(data: bytes, where: str) -> dict[str, Tensor]:
    """The float32 weights by name; those of other types (shapes, indices) are left out.

    `BackboneError` where the file is cut short, is no such message, or holds other bytes than its shapes say.
    """
    try:
        graph = next(value for number, value in _fields(memoryview(data)) if number == _GRAPH)
        weights = [_weight(value) for number, value in _fields(_message(graph)) if number == _INITIALIZER]
    except (ValueError, StopIteration) as error:
        why = str(error) or "it holds no graph"
        raise BackboneError(f"{where}: not a readable ONNX file ({why}); fetch it again.") from error
    return {name: tensor for name, tensor in weights if tensor is not None}


def _weight(value: int | memoryview) -> tuple[str, Tensor | None]:
    dims: list[int] = []
    kind, name, raw = 0, "", memoryview(b"")
    for number, part in _fields(_message(value)):
        if number == _DIMS:
            dims += [part] if isinstance(part, int) else list(_varints(part))
        elif number == _TYPE and isinstance(part, int):
            kind = part
        elif number == _NAME:
            name = str(_message(part), "utf-8")
        elif number == _RAW:
            raw = _message(part)
    if kind != _FLOAT:
        return name, None
    if len(raw) != 4 * int(np.prod(dims, dtype=np.int64)):
        raise ValueError(f"{name!r} of shape {dims} has {len(raw)} bytes")
    return name, torch.from_numpy(np.frombuffer(raw, "<f4").reshape(dims).astype(np.float32))


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise ValueError(f"field of type {kind}")
        if size > len(data) - at:
            raise ValueError(f"{size} bytes are announced where {len(data) - at} are left")
        yield number, data[at : at + size]
        at += size


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number stands where a message is expected")
    return value


def _varints(data: memoryview) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """The number that begins there, seven bits a byte and the lowest first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it ends within a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number has more than ten bytes")
