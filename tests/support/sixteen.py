"""Files of 16 bits a channel that Pillow reads and does not write: PNG and TIFF in colour or with alpha."""

from __future__ import annotations

import struct
import zlib

import numpy as np

__all__ = ["png", "tiff"]

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def png(values: np.ndarray) -> bytes:
    """A PNG of (H, W) or (H, W, 2 to 4) uint16."""
    height, width = values.shape[:2]
    kind = _COLOUR_TYPES[1 if values.ndim == 2 else values.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def tiff(values: np.ndarray, *, order: str = "<", packed: bool = False) -> bytes:
    """A TIFF of (H, W, 3 or 4) uint16 in one strip; order "<" or ">", packed: deflated."""
    height, width, channels = values.shape
    data = values.astype(f"{order}u2").tobytes()
    data = zlib.compress(data) if packed else data
    bits = struct.pack(f"{order}{channels}H", *[16] * channels)
    entries = {
        256: (4, 1, width), 257: (4, 1, height), 258: (3, channels, 0), 259: (3, 1, 8 if packed else 1), 262: (3, 1, 2),
        273: (4, 1, 0), 277: (3, 1, channels), 278: (4, 1, height), 279: (4, 1, len(data)),
    }  # fmt: skip
    if channels == 4:
        entries[338] = (3, 1, 2)
    start = 8 + 2 + 12 * len(entries) + 4
    entries[258], entries[273] = (3, channels, start), (4, 1, start + len(bits))
    mark = b"II*\0" if order == "<" else b"MM\0*"
    directory = b"".join(_entry(order, tag, *entries[tag]) for tag in sorted(entries))
    head = mark + struct.pack(f"{order}IH", 8, len(entries)) + directory + struct.pack(f"{order}I", 0)
    return head + bits + data


def _entry(order: str, tag: int, kind: int, count: int, value: int) -> bytes:
    short = kind == 3 and count == 1
    return struct.pack(f"{order}HHIHH" if short else f"{order}HHII", tag, kind, count, value, *([0] if short else []))
