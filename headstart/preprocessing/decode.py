"""From the bytes of a picture file, a PIL picture or an array to RGB: the one way in for every picture.

Plain JPEG goes through torchvision's decoder; everything else, and what it refuses, through Pillow (`pillow.py`). So
does PNG: torchvision's decoder dies with the process on a damaged file (a single byte will do, torchvision 0.29).
Alpha is composited on white, animations give their first frame, rotation tags are applied, colour profiles are not.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from headstart.data.bit_depth import DEEP_DTYPES, Window
from headstart.errors import DataError
from headstart.preprocessing.jpeg import read_header
from headstart.preprocessing.pillow import PIXEL_LIMIT, check_size, from_deep, open_picture, to_rgb
from headstart.preprocessing.vision import jpeg_decoder
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["DRAFT", "PIXEL_LIMIT", "decode", "decode_array", "decode_picture"]

DRAFT = 512
"""The shorter side, in pixels, that a large JPEG keeps at least when it is decoded at a quarter or eighth size."""


def decode(data: bytes | bytearray, *, draft: bool = False, window: Window | None = None) -> Tensor:
    """The picture in a file's bytes as RGB: uint8 (3, H, W), its memory in (H, W, 3) order.

    draft   decode a JPEG whose shorter side is at least 4 x `DRAFT` at 1/4 or 1/8 size (the decoder scales in the
            frequency domain): 3 x faster for 12 megapixels, in a small part of the memory; once resized to 256 pixels
            within .5/255 of the whole picture on average. Below that the gain is a tenth, so they stay exact
    window  what becomes black and white of more than 8 bits, see `PicturePreprocess`

    `DataError` says in words what is wrong with a file that is no picture, is damaged or is too large.
    """
    if not data:
        raise DataError("the file is empty (0 bytes)")
    header = read_header(data)
    if header is None or not header.plain:
        return _from_array(to_rgb(open_picture(data), window=window))
    check_size(header.width, header.height)
    if draft and min(header.width, header.height) >= 4 * DRAFT:
        return _from_array(to_rgb(open_picture(data), shorter=DRAFT))
    return _plain(data)


def decode_picture(picture: Image.Image, *, window: Window | None = None) -> Tensor:
    """A PIL picture as RGB: uint8 (3, H, W). The picture itself is left as it is."""
    check_size(*picture.size)
    return _from_array(to_rgb(picture.copy(), window=window))


def decode_array(array: Array, *, window: Window | None = None) -> Tensor:
    """An array of pixels (H, W), (H, W, 1), (H, W, 3) or (H, W, 4: with alpha) as RGB: uint8 (3, H, W).

    uint8, or uint16 and int16, which `window` scales.
    """
    pixels = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if not _is_pixels(pixels):
        raise DataError(
            f"an array of {array.dtype} with shape {array.shape} is no picture: "
            "expected uint8, uint16 or int16 and (height, width), (height, width, 3) or (height, width, 4)"
        )
    check_size(pixels.shape[1], pixels.shape[0])
    if pixels.dtype in DEEP_DTYPES:
        return _from_array(to_rgb(from_deep(pixels, window)))
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        return _from_array(pixels)
    return _from_array(to_rgb(Image.fromarray(np.ascontiguousarray(pixels))))


def _is_pixels(array: Array) -> bool:
    has_pixel_dtype = array.dtype == np.uint8 or array.dtype in DEEP_DTYPES
    return has_pixel_dtype and array.size > 0 and (array.ndim == 2 or array.shape[2:] in ((3,), (4,)))


def _plain(data: bytes | bytearray) -> Tensor:
    """The fast decoder; what it refuses, Pillow reads or names the fault of. So it does where there is none."""
    import torch

    fast = jpeg_decoder()
    if fast is not None:
        encoded = torch.frombuffer(data if isinstance(data, bytearray) else bytearray(data), dtype=torch.uint8)
        with suppress(RuntimeError):
            return fast(encoded)
    return _from_array(to_rgb(open_picture(data)))


def _from_array(pixels: Array) -> Tensor:
    import torch

    return torch.from_numpy(np.require(pixels, requirements=["C", "W"])).permute(2, 0, 1)
