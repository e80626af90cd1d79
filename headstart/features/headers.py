"""What the first bytes of a JPEG or PNG file say: its size, and whether the fast decoder is exact for it.

JPEG: ITU-T T.81, annex B (marker segments). PNG: W3C PNG specification, third edition, section 11 (chunks).
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Header", "read_header"]

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB = 0, 2
_NOT_FRAMES = {0xC4, 0xC8, 0xCC}
_BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}


class Header(NamedTuple):
    """plain: three channels or grey, 8 bits, nothing that changes how the pixels are seen except a rotation tag."""

    format: str
    width: int
    height: int
    plain: bool


def read_header(data: bytes | bytearray) -> Header | None:
    """The header of a JPEG or PNG file's bytes; None for any other format or where it is cut off."""
    if data.startswith(_PNG):
        return _png(data)
    if data.startswith(_JPEG):
        return _jpeg(data)
    return None


def _png(data: bytes | bytearray) -> Header | None:
    if len(data) < 33 or data[12:16] != b"IHDR":
        return None
    width, height = _number(data, 16, 4), _number(data, 20, 4)
    depth, colour = data[24], data[25]
    plain = depth == 8 and colour in (_GREY, _RGB) and not _changes_pixels(data)
    return Header("PNG", width, height, plain)


def _changes_pixels(data: bytes | bytearray) -> bool:
    """Whether a transparent colour or a rotation tag stands before the pixels."""
    at = 33
    while at + 8 <= len(data):
        kind = data[at + 4 : at + 8]
        if kind == b"IDAT":
            return False
        if kind in (b"tRNS", b"eXIf"):
            return True
        at += 12 + _number(data, at, 4)
    return True


def _jpeg(data: bytes | bytearray) -> Header | None:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _BARE_MARKERS:
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
            depth, height, width, channels = (
                data[at + 4],
                _number(data, at + 5, 2),
                _number(data, at + 7, 2),
                data[at + 9],
            )
            return Header("JPEG", width, height, depth == 8 and channels in (1, 3) and height > 0)
        else:
            at += 2 + _number(data, at + 2, 2)
    return None


def _number(data: bytes | bytearray, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")
