"""Arrays as pictures, whole numbers (height, width[, channels]), one or many; what is nearly so is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.data.bit_depth import DEEP_DTYPES
from headstart.data.images import is_picture
from headstart.errors import DataError
from headstart.tasks.task import Array

__all__ = ["cure", "pictures_in"]

CHANNELS = (1, 3, 4)
EXPECTED = "pictures are uint8 (or uint16, int16) (N, H, W[, C]) with 1, 3 or 4 channels in the last place"


def pictures_in(source: list[Any] | Array) -> list[Any]:
    """The pictures of a list, or of an array: (H, W) and (H, W, 1, 3 or 4) are one picture, (N, H, W[, C]) are N.

    Raises DataError for an empty list, and where there are only arrays of another type or order of axes.
    """
    if isinstance(source, list):
        if not source:
            raise DataError("the list is empty: at least one input is needed")
        if all(isinstance(item, np.ndarray) and not is_picture(item) for item in source):
            raise DataError(_refusal(source[0]))
        if all(isinstance(item, int | float) for item in source):
            raise DataError(f"a list of {len(source)} numbers cannot be read as pictures: {EXPECTED}")
        return source
    if is_picture(source):
        return [source]
    if source.ndim in (3, 4) and all(map(is_picture, source)):
        return list(source)
    raise DataError(_refusal(source))


def cure(array: Array) -> str:
    """What to type so that an array x becomes pictures, as an expression; "" where nothing is known to help."""
    shape, expression = array.shape, "x"
    if array.ndim not in (2, 3, 4) or not array.size or array.dtype.kind not in "biuf":
        return ""
    if array.ndim > 2 and shape[-1] not in CHANNELS and shape[-3] in CHANNELS:
        expression = "x.transpose(0, 2, 3, 1)" if array.ndim == 4 else "x.transpose(1, 2, 0)"
    elif array.ndim == 4 and shape[3] not in CHANNELS:
        return ""
    if array.dtype in (np.uint8, *DEEP_DTYPES):
        return "" if expression == "x" else expression
    if array.dtype.kind == "b" or (array.dtype.kind == "f" and np.nanmin(array) >= 0 and np.nanmax(array) <= 1):
        return f"({expression} * 255).round().astype('uint8')"
    return f"{expression}.clip(0, 255).astype('uint8')"


def _refusal(array: Array) -> str:
    hint = f"; of a NumPy array x, {expression} makes them" if (expression := cure(array)) else ""
    return f"an array of {array.dtype} and shape {array.shape} cannot be read as pictures: {EXPECTED}{hint}"
