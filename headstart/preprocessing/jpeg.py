"""What the first bytes of a JPEG file say: its size, and whether the fast decoder is exact for it.

ITU-T T.81 (1992), annex B: marker segments.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Header", "read_header"]

_START = b"\xff\xd8\xff"
_NOT_FRAMES = {0xC4, 0xC8, 0xCC}
_BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}


class Header(NamedTuple):
    """plain: grey or three channels of 8 bits each."""

    width: int
    height: int
    plain: bool


def read_header(data: bytes | bytearray) -> Header | None:
    """The header of a JPEG file's bytes; None for any other format or where it is cut off or damaged."""
    if not data.startswith(_START):
        return None
    at = 2
    while at + 9 < len(data):
        marker = data[at + 1]
        if data[at] != 0xFF:
            return None
        if marker == 0xFF:
            at += 1
        elif marker in _BARE_MARKERS:
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
            depth, height, width = data[at + 4], _number(data, at + 5), _number(data, at + 7)
            return Header(width, height, depth == 8 and data[at + 9] in (1, 3) and min(width, height) > 0)
        else:
            at += 2 + _number(data, at + 2)
    return None


def _number(data: bytes | bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")
