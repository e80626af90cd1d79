"""Pictures that are not plain JPEG, read with Pillow: PNG and other formats, alpha, palettes, 16 bits, CMYK."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from headstart.data.task import Array
from headstart.errors import DataError

__all__ = ["FORMATS", "PIXEL_LIMIT", "check_size", "open_picture", "to_rgb"]

PIXEL_LIMIT = 100_000_000
"""Pictures of more pixels are refused from their header, before any memory is taken for them."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "ICO", "TGA", "JPEG2000", "AVIF")
"""What is read. Formats that run other programs (EPS) or hold no pixels (WMF) are not."""


def check_size(width: int, height: int) -> None:
    """`DataError` for a picture of no pixels or more than `PIXEL_LIMIT`."""
    if width < 1 or height < 1:
        raise DataError(f"a picture of {width} x {height} pixels has nothing in it")
    if width * height > PIXEL_LIMIT:
        raise DataError(
            f"{width} x {height} pixels are more than the limit of {PIXEL_LIMIT // 10**6} million "
            "(a decompression bomb?): make it smaller if it is meant"
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


def to_rgb(picture: Image.Image, *, shorter: int | None = None) -> Array:
    """Its pixels: uint8 (H, W, 3), first frame, upright, alpha on white.

    shorter   a JPEG may be decoded at 1/2, 1/4 or 1/8 size as long as its shorter side keeps this many pixels
    """
    try:
        if shorter is not None:
            picture.draft("RGB", _scaled(picture.size, shorter))
        picture.load()
        return np.array(_flattened(ImageOps.exif_transpose(_eight_bits(picture))))
    except DataError:
        raise
    except MemoryError:
        raise DataError(f"{picture.size[0]} x {picture.size[1]} pixels do not fit into memory") from None
    except Exception as error:  # as above: OSError, SyntaxError, ValueError, EOFError, zlib.error, struct.error ...
        raise DataError(f"damaged picture: {_words(error)}") from error


def _scaled(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    scale = shorter / min(size)
    return round(size[0] * scale), round(size[1] * scale)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """16-bit and floating-point greys scaled to 0..255, not clipped; other modes as they are."""
    if picture.mode.startswith("I"):
        values = np.asarray(picture).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise DataError(
                f"whole numbers from {values.min()} to {values.max()}: expected 0 to 65535 in a grey picture"
            )
        scaled = (values * 255 + 32767) // 65535
    elif picture.mode == "F":
        numbers = np.asarray(picture)
        if not (numbers.min() >= 0 and numbers.max() <= 1):
            raise DataError(
                f"numbers from {numbers.min()} to {numbers.max()}: expected 0 to 1 in a floating-point picture"
            )
        scaled = np.rint(numbers * 255)
    else:
        return picture
    grey = Image.fromarray(scaled.astype(np.uint8))
    grey.info = picture.info
    return grey


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
