"""Pictures that are not plain JPEG, read with Pillow: PNG and other formats, alpha, palettes, 16 bits, CMYK."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from headstart.data.bit_depth import Window, deep_values, is_deep_picture, scaled
from headstart.errors import DataError
from headstart.tasks.task import Array

__all__ = [
    "FORMATS",
    "PIXEL_LIMIT",
    "STRIP",
    "Unscaled",
    "check_shape",
    "check_size",
    "from_deep",
    "open_picture",
    "quietly",
    "to_rgb",
]

PIXEL_LIMIT = 100_000_000
"""Pictures of more pixels are refused from their header, before any memory is taken for them."""

STRIP = 100
"""Pictures longer than so many times their width are strips."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "ICO", "TGA", "JPEG2000", "AVIF")
"""What is read. Formats that run other programs (EPS) or hold no pixels (WMF) are not."""


class Unscaled(DataError):
    """Numbers that no window is known for: another model may well read them."""


def check_size(width: int, height: int) -> None:
    """`DataError` for a picture of no pixels or more than `PIXEL_LIMIT`."""
    if width < 1 or height < 1:
        raise DataError(f"a picture of {width} x {height} pixels has nothing in it")
    if width * height > PIXEL_LIMIT:
        raise DataError(
            f"{width} x {height} pixels are more than the limit of {PIXEL_LIMIT // 10**6} million "
            "(a decompression bomb?): make it smaller if it is meant"
        )


def check_shape(width: int, height: int) -> None:
    """`DataError` for a strip more than `STRIP` times as long as it is wide."""
    if max(width, height) > STRIP * min(width, height):
        raise DataError(
            f"a strip of {width} x {height} pixels, more than {STRIP} times as long as it is wide, of which next to "
            "nothing would be seen: cut it into pieces of a usual shape"
        )


def open_picture(data: bytes | bytearray) -> Image.Image:
    """The picture in a file's bytes, its header read and its size checked; pixels are decoded later."""
    try:
        picture = Image.open(BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise DataError(f"not a picture in a known format; it begins with {_begins(data)}") from None
    except Image.DecompressionBombError as error:
        raise DataError(f"too many pixels (a decompression bomb?): {error}") from error
    except Exception as error:  # each format's reader raises what it likes on damaged bytes
        raise DataError(f"damaged picture: {_words(error)}") from error
    check_size(*picture.size)
    return picture


def to_rgb(picture: Image.Image, *, shorter: int | None = None, window: Window | None = None) -> Array:
    """Its pixels: uint8 (H, W, 3), first frame, upright, alpha on white.

    shorter   a JPEG may be decoded at 1/2, 1/4 or 1/8 size as long as its shorter side keeps this many pixels
    window    what becomes black and white of more than 8 bits; None: 0 and the largest number that there can be
    """
    if shorter is not None:
        picture.draft("RGB", _scaled(picture.size, shorter))
    return quietly(picture, lambda picture: _rgb(picture, window))


def quietly(picture: Image.Image, read: Callable[[Image.Image], Array]) -> Array:
    """What `read` makes of the pixels, which are decoded there; `DataError` says what is wrong with them."""
    try:
        return read(picture)
    except DataError:
        raise
    except MemoryError:
        raise DataError(f"{picture.size[0]} x {picture.size[1]} pixels do not fit into memory") from None
    except Exception as error:  # as above: OSError, SyntaxError, ValueError, EOFError, zlib.error, struct.error ...
        raise DataError(f"damaged picture: {_words(error)}") from error


def from_deep(values: Array, window: Window | None, transparent: Any = None) -> Image.Image:
    """Numbers of more than 8 bits, (H, W) or (H, W, 3 or 4: with alpha), as a picture of 8 bits.

    transparent   the number, or the three, that mean no colour at all
    """
    alpha = np.asarray(values[:, :, 3] >> 8, np.uint8) if values.ndim == 3 and values.shape[2] == 4 else None
    colours = values[:, :, :3] if values.ndim == 3 else values
    if transparent is not None:
        hidden = colours == np.asarray(transparent)
        alpha = np.where(hidden if colours.ndim == 2 else hidden.all(axis=2), 0, 255).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(scaled(colours, window or _full(colours))))
    if alpha is not None:
        picture.putalpha(Image.fromarray(np.ascontiguousarray(alpha)))
    return picture


def _rgb(picture: Image.Image, window: Window | None) -> Array:
    return np.array(_flattened(ImageOps.exif_transpose(_eight_bits(picture, window))))


def _scaled(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    scale = shorter / min(size)
    return round(size[0] * scale), round(size[1] * scale)


def _eight_bits(picture: Image.Image, window: Window | None) -> Image.Image:
    """More than 8 bits scaled to 8 by the window; other pictures as they are.

    Without a window a picture of 16 bits in colour is left to Pillow, which keeps the upper 8.
    """
    deep = is_deep_picture(picture) and (window is not None or picture.mode not in ("RGB", "RGBA"))
    if not deep:
        picture.load()
        return picture
    values = deep_values(picture)
    eight = from_deep(values, window, picture.info.get("transparency"))
    eight.info = {name: value for name, value in picture.info.items() if name != "transparency"}
    return eight


def _full(values: Array) -> Window:
    """The window of all numbers that there can be. `Unscaled` where there are others."""
    whole = values.dtype.kind in "iu"
    most = 65535 if whole else 1
    if values.min() >= 0 and values.max() <= most:
        return 0, most
    kind, numbers = ("grey", "whole numbers") if whole else ("floating-point", "numbers")
    raise Unscaled(
        f"{numbers} from {values.min()} to {values.max()}: expected 0 to {most} in a {kind} picture. To read them "
        "otherwise fit a model with window=(LOW, HIGH) (--window LOW,HIGH)"
    )


def _flattened(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    white.alpha_composite(layer)
    return white.convert("RGB")


def _begins(data: bytes | bytearray) -> str:
    start = bytes(data[:24])
    text = start.decode("ascii", "replace") if start.isascii() else ""
    return repr(text) if text.isprintable() and text else start[:8].hex(" ")


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
