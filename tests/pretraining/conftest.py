"""Pictures of three kinds in a folder, and how a tiny network learns from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image
from small import RESNET

SMALL = {"epochs": 2, "batch": 12, "size": 32, "journal": 0}
"""Options for tiny pictures."""


def picture(row: int) -> Image.Image:
    """Noise in which one of three channels is brighter."""
    pixels = np.random.default_rng(row).integers(0, 120, (40, 40, 3)).astype(np.uint8)
    pixels[:, :, row % 3] += 100
    return Image.fromarray(pixels)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of 24 different ones."""
    folder = tmp_path_factory.mktemp("pictures")
    for row in range(24):
        picture(row).save(folder / f"{row}.png")
    return folder


@pytest.fixture
def learn(pictures):
    """A tiny network learns from them, or from other data."""

    def by(method: str, data: Any = None, *, backbone: str = RESNET, options: Any = None, **more: Any):
        from headstart import pretrain

        data, given = pictures if data is None else data, SMALL | (options or {})
        return pretrain(data, backbone=backbone, method=method, options=given, **more)

    return by
