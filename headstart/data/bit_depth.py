"""Pictures of more than 8 bits a channel: which they are, their numbers as stored, and those scaled to 8 bits.

How many of the bits a file uses is not written in it: a scanner's 12 bits come in 16, and so does a camera's RAW. A
*window* says which number becomes black and which white; `features.window` takes it from the data.
"""

from __future__ import annotations

import math
import os
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from headstart.tasks.task import Array

__all__ = [
    "DEEP_DTYPES",
    "Window",
    "check_window",
    "deep_values",
    "in_words",
    "is_deep",
    "is_deep_picture",
    "scaled",
]

Window = tuple[float, float]
"""The numbers that become 0 (black) and 255 (white); what lies beyond them is clipped."""

DEEP_DTYPES = (np.dtype(np.uint16), np.dtype(np.int16))
"""Arrays of these are pictures, too."""

_SHALLOW = (".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".webp", ".avif", ".pbm")
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH = 24
_OTHER_HALF = {"16B": "16L", "16L": "16B", "16N": "16B" if np.little_endian else "16L"}


def is_deep(item: Any) -> bool:
    """Whether an input (a path, a PIL picture, an array) has more than 8 bits a channel, as its header says."""
    if isinstance(item, np.ndarray):
        return item.dtype in DEEP_DTYPES
    if isinstance(item, Image.Image):
        return is_deep_picture(item)
    path = os.fspath(item) if isinstance(item, str | os.PathLike) else ""
    return bool(path) and not path.lower().endswith(_SHALLOW) and _is_deep_file(path)


def is_deep_picture(picture: Image.Image) -> bool:
    """Whether its numbers have more than 8 bits. Pillow keeps 8 of 16 bits in colour: only a picture whose pixels
    have not been read yet is known to have more."""
    return picture.mode.startswith("I") or picture.mode == "F" or bool(_raw_mode(picture))


def deep_values(picture: Image.Image) -> Array:
    """Its numbers as stored: (H, W), or with colour (H, W, 3) or with alpha (H, W, 4) uint16. Reads the pixels.

    A picture in colour must come from a file in memory, and not have been read yet.
    """
    raw = _raw_mode(picture)
    if not raw:
        return np.asarray(picture)
    twin = Image.open(BytesIO(_file_of(picture)), formats=[picture.format or ""])
    if raw == "LA;16B":
        grey, alpha = (
            _bytes_as_read(picture, "RGBA").astype(np.uint16).reshape(*picture.size[::-1], 2, 2).transpose(2, 3, 0, 1)
        )
        grey, alpha = (half[0] << 8 | half[1] for half in (grey, alpha))
        return np.stack([grey, grey, grey, alpha], axis=2)
    low = _bytes_as_read(twin, raw[:-3] + _OTHER_HALF[raw[-3:]])
    return np.asarray(picture).astype(np.uint16) << 8 | low


def check_window(window: Any) -> Window:
    """(low, high) as two numbers, also of their words. Raises ValueError where they are none, or not ascending."""
    try:
        low, high = map(float, window)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (low < high and math.isfinite(high - low)):
        raise ValueError(f"window = {window!r:.60}: expected two ascending numbers, black and white, such as (0, 4095)")
    return low, high


def in_words(window: Window) -> str:
    """What a window does."""
    return f"{window[0]:g} becomes black and {window[1]:g} white"


def scaled(values: Array, window: Window) -> Array:
    """(...) numbers -> uint8: `window` to 0 and 255, what lies beyond clipped, NaN black."""
    low, high = window
    shares = (values.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
    bright: Array = np.rint(np.clip(np.nan_to_num(shares, nan=0.0), 0, 255)).astype(np.uint8)
    return bright


def _raw_mode(picture: Image.Image) -> str:
    """How 16 bits a channel lie in the file of a picture in colour or with alpha; "" for any other picture."""
    tiles = getattr(picture, "tile", None)
    if not tiles or picture.mode not in ("RGB", "RGBA"):
        return ""
    raw = tiles[0].args if isinstance(tiles[0].args, str) else tiles[0].args[0] if tiles[0].args else ""
    return raw if isinstance(raw, str) and raw.partition(";")[2] in _OTHER_HALF else ""


def _bytes_as_read(picture: Image.Image, raw: str) -> Array:
    """The picture's 8-bit pixels if its file is read as `raw`: the other half of each 16-bit number."""
    file: Any = picture  # a picture that was opened from a file, whose attributes `Image` does not declare
    file.tile = [tile._replace(args=raw if isinstance(tile.args, str) else (raw, *tile.args[1:])) for tile in file.tile]
    return np.asarray(picture)


def _file_of(picture: Image.Image) -> bytes:
    opened: Any = picture
    at = opened.fp.tell()
    opened.fp.seek(0)
    data: bytes = opened.fp.read()
    opened.fp.seek(at)
    return data


def _is_deep_file(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            start = file.read(_PNG_DEPTH + 1)
            if start.startswith(_PNG):
                return len(start) > _PNG_DEPTH and start[_PNG_DEPTH] == 16
            if start.startswith(b"\xff\xd8"):
                return False
            file.seek(0)
            with Image.open(file) as picture:
                return is_deep_picture(picture)
    except Exception:  # what cannot be opened is named where it is read
        return False
