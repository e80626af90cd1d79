"""Pictures: paths, PIL pictures or whole numbers (H, W[, C])."""

from __future__ import annotations

import os
from typing import Any

import pandas as pd

from headstart.tasks.modality import Modality

__all__ = ["IMAGE", "Image"]


class Image(Modality):
    """A picture a row."""

    __slots__ = ()
    noun = "pictures"
    card_noun = "pictures"
    card_example = ("new/*.jpg", '["new/one.jpg"]')
    backbone = "bundled:efficientnet-lite0"
    has_pixels = True
    has_thumbs = True
    properties_are = "file properties"

    def properties(self, inputs: Any) -> dict[str, pd.Series[Any]]:
        """The type of each file, where all are files. See `Modality`."""
        if not all(isinstance(item, str) for item in inputs):
            return {}
        return {"file type": pd.Series([os.path.splitext(item)[1].lower() for item in inputs], dtype=object)}


IMAGE = Image("image")
