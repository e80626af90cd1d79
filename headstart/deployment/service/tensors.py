"""Tensors of the V2 inference protocol: as JSON, and as the bytes behind it (its binary extension).

Open Inference Protocol, version 2 (KServe), and "binary_tensor_data" of NVIDIA Triton: little-endian, in row-major
order; an element of BYTES is its length (uint32) and so many bytes.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from headstart.deployment.service.refusal import Refusal
from headstart.tasks.task import Array

__all__ = ["DATATYPES", "Tensor", "asked_tensors", "reply_body"]

DATATYPES = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype(object),
}
"""By the protocol's name, the type of numbers."""


class Tensor(NamedTuple):
    """A named array of a type in `DATATYPES`; of BYTES an array of objects.

    text   BYTES came as strings of JSON, which hold files as base64
    """

    name: str
    datatype: str
    values: Array
    text: bool = False

    @property
    def shape(self) -> list[int]:
        return list(self.values.shape)

    def files(self) -> list[bytes]:
        """The elements of a BYTES tensor as files. Raises Refusal (422)."""
        if not self.text:
            return [bytes(value) for value in self.values.ravel()]
        try:
            return [base64.b64decode(str(value), validate=True) for value in self.values.ravel()]
        except (binascii.Error, ValueError):
            raise Refusal(422, f"tensor {self.name!r}: files in JSON are to be base64") from None

    def texts(self) -> list[str]:
        """The elements of a BYTES tensor as texts. Raises Refusal (422)."""
        try:
            return [value if isinstance(value, str) else bytes(value).decode("utf-8") for value in self.values.ravel()]
        except UnicodeDecodeError:
            raise Refusal(422, f"tensor {self.name!r} holds a text that is not UTF-8") from None


def asked_tensors(described: Sequence[Any], binary: bytes) -> list[Tensor]:
    """The inputs of a request. Raises Refusal (400) where they are not as the protocol has them.

    described   "inputs" of its JSON
    binary      what stands behind the JSON
    """
    tensors, at = [], 0
    for entry in described:
        try:
            name, datatype, shape = entry["name"], entry["datatype"], [int(size) for size in entry["shape"]]
            size = (entry.get("parameters") or {}).get("binary_data_size")
        except (TypeError, KeyError, ValueError, AttributeError):
            raise Refusal(400, "each input is to have a name, a datatype and a shape") from None
        if datatype not in DATATYPES or any(count < 0 for count in shape):
            raise Refusal(400, f"input {name!r}: {datatype!r:.20} of shape {shape} is no tensor of the protocol")
        try:
            if size is None:
                tensors.append(_of_json(name, datatype, shape, entry.get("data")))
            else:
                tensors.append(_of_bytes(name, datatype, shape, binary[at : at + int(size)]))
                at += int(size)
        except (TypeError, ValueError, struct.error, OverflowError):
            raise Refusal(400, f"input {name!r}: its data are not {datatype} of shape {shape}") from None
    return tensors


def _of_json(name: str, datatype: str, shape: list[int], data: Any) -> Tensor:
    array = np.empty(math.prod(shape), dtype=DATATYPES[datatype])
    flat = list(_flat(data))
    if len(flat) != len(array):
        raise ValueError("another number of elements")
    if datatype == "BYTES" and not all(isinstance(value, str) for value in flat):
        raise TypeError("BYTES in JSON are strings")
    array[:] = flat
    return Tensor(name, datatype, array.reshape(shape), text=datatype == "BYTES")


def _flat(data: Any) -> Any:
    """The elements of nested lists."""
    if not isinstance(data, list):
        yield data
        return
    for part in data:
        yield from _flat(part)


def _of_bytes(name: str, datatype: str, shape: list[int], data: bytes) -> Tensor:
    if datatype != "BYTES":
        return Tensor(name, datatype, np.frombuffer(data, DATATYPES[datatype]).reshape(shape))
    elements, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        if at + 4 + length > len(data):
            raise ValueError("cut off")
        elements.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    array = np.empty(len(elements), dtype=object)
    array[:] = elements
    return Tensor(name, datatype, array.reshape(shape))


def reply_body(head: Mapping[str, Any], outputs: Sequence[tuple[Tensor, bool]]) -> tuple[bytes, int | None]:
    """A body, and how many bytes of it are JSON, where others stand behind it.

    outputs   each with whether it goes behind the JSON
    """
    described, behind = [], []
    for tensor, binary in outputs:
        entry: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.shape}
        if binary:
            data = _as_bytes(tensor)
            entry["parameters"] = {"binary_data_size": len(data)}
            behind.append(data)
        else:
            entry["data"] = tensor.values.ravel().tolist()
        described.append(entry)
    text = json.dumps({**head, "outputs": described}, ensure_ascii=False, allow_nan=False).encode()
    return text + b"".join(behind), len(text) if behind else None


def _as_bytes(tensor: Tensor) -> bytes:
    if tensor.datatype != "BYTES":
        return np.ascontiguousarray(tensor.values, DATATYPES[tensor.datatype]).tobytes()
    elements = [str(value).encode() for value in tensor.values.ravel()]
    return b"".join(struct.pack("<I", len(element)) + element for element in elements)
