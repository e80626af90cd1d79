"""What workers of one service say to each other: frames of a kind, a number and content.

4 bytes   length of the content, little endian
1         kind: IDLE, FILE, TEXT, ANSWER or FAILED
8         number of the request that it belongs to
content   FILE: the bytes of a picture or recording; TEXT: a text, or those of several columns, as JSON; ANSWER: see
          `answer_to_bytes`; else nothing
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, NamedTuple

import numpy as np

from headstart.deployment.service.served import Answer
from headstart.tasks.task import Array

__all__ = [
    "ANSWER",
    "FAILED",
    "FILE",
    "IDLE",
    "TEXT",
    "Frame",
    "answer_from_bytes",
    "answer_to_bytes",
    "input_of",
    "of_input",
    "read_frame",
]

IDLE, FILE, TEXT, ANSWER, FAILED = range(5)
_HEAD = struct.Struct("<IBQ")


class Frame(NamedTuple):
    """See the module."""

    kind: int
    number: int
    content: bytes = b""

    def to_bytes(self) -> bytes:
        """As it is sent."""
        return _HEAD.pack(len(self.content), self.kind, self.number) + self.content


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """The next one; None where the other side is gone."""
    try:
        length, kind, number = _HEAD.unpack(await reader.readexactly(_HEAD.size))
        return Frame(kind, number, await reader.readexactly(length))
    except (asyncio.IncompleteReadError, OSError):
        return None


def of_input(number: int, item: Any) -> Frame:
    """An input of a request as a frame: bytes of a file, a text, or a tuple of texts."""
    if isinstance(item, bytes):
        return Frame(FILE, number, item)
    return Frame(TEXT, number, json.dumps(item).encode())


def input_of(frame: Frame) -> Any:
    """The input that `of_input` made a frame of."""
    if frame.kind == FILE:
        return frame.content
    item = json.loads(frame.content)
    return tuple(item) if isinstance(item, list) else item


def answer_to_bytes(answer: Answer) -> bytes:
    """A line of JSON, and behind it the numbers of `values` and `features` as they are in memory."""
    arrays = [None if array is None else np.asarray(array) for array in (answer.values, answer.features)]
    about = [None if array is None else [array.dtype.str, list(array.shape)] for array in arrays]
    head = json.dumps([answer.outlier, answer.why, *about]).encode()
    return head + b"\n" + b"".join(array.tobytes() for array in arrays if array is not None)


def answer_from_bytes(content: bytes) -> Answer:
    """What `answer_to_bytes` was given."""
    head, _, numbers = content.partition(b"\n")
    outlier, why, *about = json.loads(head)
    arrays: list[Array | None] = []
    at = 0
    for form in about:
        if form is None:
            arrays.append(None)
            continue
        kind, shape = np.dtype(form[0]), form[1]
        size = int(np.prod(shape, dtype=np.int64))
        arrays.append(np.frombuffer(numbers, kind, size, at).reshape(shape))
        at += size * kind.itemsize
    values, features = arrays
    return Answer(values, outlier, features, why)
