"""Pictures, by file name or in memory. None is decoded here: that is done once, where the backbone runs."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from headstart.data.bit_depth import DEEP_DTYPES, deep_values, is_deep_picture
from headstart.data.named_file import named_file
from headstart.data.sounds import is_sound
from headstart.tasks.task import Array

__all__ = ["SUFFIXES", "find_pictures", "holds_pictures", "is_picture", "is_picture_name", "is_stored"]

SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp",
    ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".avif",
})  # fmt: skip


def is_picture_name(name: str) -> bool:
    """Whether a file name ends as a picture's does."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def is_picture(cell: object) -> bool:
    """Whether this is a picture in memory or the name of a picture file."""
    if isinstance(cell, str | os.PathLike):
        return is_picture_name(os.fspath(cell))
    stored = isinstance(cell, bytes) or is_stored(cell)
    return isinstance(cell, Image.Image) or (stored and not is_sound(cell)) or _is_pixels(cell)


def holds_pictures(cells: Iterable[object]) -> bool:
    """Whether more than half of the cells are pictures (`is_picture`)."""
    votes = [is_picture(cell) for cell in cells]
    return 2 * sum(votes) > len(votes)


def find_pictures(cells: Iterable[Any], folder: str = "") -> tuple[list[Any], dict[int, str]]:
    """The pictures that cells name or hold, and the rows where there is none: row -> why.

    A cell is a path (relative to `folder`), a PIL picture, an array (H, W[, C]), the bytes of a picture file, or
    a dictionary with "bytes" and "path", as Hugging Face stores pictures. Bytes become PIL pictures that are decoded
    when first used.
    """
    pictures: list[Any] = []
    broken = {}
    for row, cell in enumerate(cells):
        try:
            pictures.append(_picture(cell, folder))
        except ValueError as error:
            pictures.append(None)
            broken[row] = str(error)
    return pictures, broken


def _picture(cell: Any, folder: str) -> Any:
    """One picture. Raises ValueError that says why there is none."""
    if isinstance(cell, str | os.PathLike):
        return named_file(os.fspath(cell), folder, "picture")
    if is_stored(cell):
        return _picture(cell["bytes"] if cell.get("bytes") is not None else cell["path"], folder)
    if isinstance(cell, bytes):
        return _from_bytes(cell)
    if isinstance(cell, Image.Image) or _is_pixels(cell):
        return cell
    if isinstance(cell, np.ndarray):
        raise ValueError(
            f"an array of {cell.dtype} and shape {cell.shape} is no picture: expected uint8, uint16 or int16 of shape "
            "(height, width), or (height, width, 1, 3 or 4)"
        )
    raise ValueError("no picture is named" if cell is None or cell != cell else f"{cell!r:.60} is no picture")


def _from_bytes(data: bytes) -> Image.Image | Array:
    """A picture whose header alone has been read; its numbers where it is in colour and has 16 bits a channel, of which
    Pillow keeps 8."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data))
    except UnidentifiedImageError as error:
        raise ValueError(f"{len(data)} bytes that are no picture of a known format") from error
    except (OSError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(str(error)) from error
    if not picture.mode.startswith("RGB") or not is_deep_picture(picture):
        return picture
    try:
        return deep_values(picture)
    except Exception as error:  # each format's reader raises what it likes on damaged bytes
        raise ValueError(f"damaged picture: {error}") from error


def is_stored(cell: object) -> bool:
    return isinstance(cell, dict) and "bytes" in cell and "path" in cell


def _is_pixels(cell: object) -> bool:
    if not isinstance(cell, np.ndarray) or cell.dtype not in (np.uint8, *DEEP_DTYPES) or cell.size == 0:
        return False
    return cell.ndim == 2 or (cell.ndim == 3 and cell.shape[2] in (1, 3, 4))
