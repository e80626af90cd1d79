"""Which numbers become black and white where pictures have more than 8 bits a channel: decided once, over the training
data, and from then on a part of the preprocessing, the same for every picture (see docs/decisions/0008).

The window goes from the `SHARE` to the 1 - `SHARE` quantile of all pixels of up to `PICTURES` pictures: not from the
least to the largest, which one dead pixel would decide.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from headstart.backbones.backbone import Backbone
from headstart.backbones.windowed import windowed
from headstart.data.bit_depth import Window, check_window, deep_values, in_words, is_deep
from headstart.errors import DataError
from headstart.preprocessing.pillow import open_picture, quietly
from headstart.tasks.task import Array

__all__ = ["SHARE", "find_window", "settled", "unsettled"]

PICTURES = 128
PIXELS = 1 << 14
SHARE = 0.001


def settled(backbone: Backbone, inputs: Sequence[Any], window_option: Window | None) -> tuple[Backbone, str]:
    """The backbone with the window for these training inputs (the one asked for, else its own, else that of the data),
    and what that is, in words.

    Unchanged, and without words, where there is no picture of more than 8 bits. Raises ValueError for a window that is
    none.
    """
    window_option = None if window_option is None else check_window(window_option)
    deep = list(filter(is_deep, inputs)) if backbone.modality.has_pixels else []
    if not deep or backbone.preprocess is None:
        return backbone, "" if window_option is None else "the window has no use: no picture has more than 8 bits"
    backbone_window = backbone.preprocess.window
    window = window_option or backbone_window or find_window(deep)
    if window is None:
        return backbone, ""
    origin = (
        "as asked"
        if window_option
        else "of the backbone"
        if backbone_window
        else "from the data; --window LOW,HIGH sets others"
    )
    return windowed(backbone, window), f"{in_words(window)} in {len(deep):,} pictures of more than 8 bits ({origin})"


def unsettled(backbone: Backbone | None, inputs: Sequence[Any]) -> str:
    """What a fitted model without a window makes of pictures of more than 8 bits, in words; "" where there are none."""
    preprocess = None if backbone is None else backbone.preprocess
    if backbone is None or preprocess is None or not backbone.modality.has_pixels or preprocess.window is not None:
        return ""
    count = sum(map(is_deep, inputs))
    if not count:
        return ""
    return (
        f"{count:,} pictures have more than 8 bits, and the model was fitted to none such: 0 becomes black and the "
        "most that 16 bits can hold white, which may be far from what it knows"
    )


def find_window(inputs: Sequence[Any]) -> Window | None:
    """The window of the inputs (paths, PIL pictures, arrays) that have more than 8 bits; None where none has.

    It does not depend on the order of paths.
    """
    deep = sorted(filter(is_deep, inputs), key=lambda item: str(item) if isinstance(item, str | os.PathLike) else "")
    chosen = np.unique(np.linspace(0, len(deep) - 1, min(PICTURES, len(deep))).round().astype(int))
    pixels = [values for values in (_some_pixels(deep[at]) for at in chosen) if len(values)]
    if not pixels:
        return None
    low, high = (float(value) for value in np.quantile(np.concatenate(pixels), [SHARE, 1 - SHARE]))
    if all(np.issubdtype(values.dtype, np.integer) for values in pixels):
        low, high = float(math.floor(low)), float(math.ceil(high))
    return low, high if high > low else low + 1


def _some_pixels(item: Any) -> Array:
    """Up to `PIXELS` finite numbers of a picture; none where it cannot be read, which is said when it is."""
    try:
        values = _numbers(item)
    except DataError:
        return np.empty(0)
    flat = values.reshape(-1)
    if len(flat) > PIXELS:
        flat = flat[np.random.default_rng(0).integers(0, len(flat), PIXELS)]
    return flat[np.isfinite(flat)]


def _numbers(item: Any) -> Array:
    """Without alpha."""
    if isinstance(item, np.ndarray):
        values = item
    elif isinstance(item, Image.Image):
        values = np.asarray(item)
    else:
        values = quietly(_opened(item), deep_values)
    return values[:, :, :3] if values.ndim == 3 else values


def _opened(path: str) -> Image.Image:
    try:
        with open(path, "rb") as file:
            return open_picture(file.read())
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror}") from error
