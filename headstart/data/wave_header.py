"""How long a WAV file says that it is: the size that its header gives to its samples, whatever there is of them."""

from __future__ import annotations

import struct

__all__ = ["declared_seconds"]

_UNKNOWN = (0, 0xFFFFFFFF)
_FIRST = 12


def declared_seconds(path: str) -> float | None:
    """None where it is no plain WAV file, or does not say: a file that was written as a stream."""
    rate = 0
    with open(path, "rb") as file:
        head = file.read(_FIRST)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return None
        while len(chunk := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", chunk)
            if name == b"data":
                return None if size in _UNKNOWN or not rate else size / rate
            body = file.read(16) if name == b"fmt " else b""
            if len(body) == 16:
                rate = struct.unpack("<I", body[8:12])[0]  # bytes a second
            file.seek(size - len(body) + size % 2, 1)
    return None
