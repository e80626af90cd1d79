"""Where the stages of a teacher's backbone look, of every row: computed once for a student that learns from it."""

from __future__ import annotations

import numpy as np
import torch

from headstart.backbones.backbone import Backbone
from headstart.losses.attention import attention
from headstart.losses.taps import Taps
from headstart.tasks.task import Array
from headstart.training.augmentation import Draw
from headstart.training.batches import Batches
from headstart.training.sampler import parts

__all__ = ["map_sizes", "maps_of"]

_LARGEST = 64 * 64
"""Places of a map: larger ones, of the lowest stages, would fill the memory."""

_BATCH = 32


def map_sizes(backbone: Backbone) -> set[tuple[int, int]]:
    """(height, width) of the maps that its stages make of an input; none where they do not keep places."""
    if backbone.module is None or backbone.preprocess is None:
        return set()
    taps = Taps(backbone.module, _ends(backbone))
    try:
        with torch.no_grad():
            backbone.module(*backbone.preprocess.largest())
        return {size for size in attention(taps.taken()) if size[0] * size[1] <= _LARGEST}
    finally:
        taps.close()


def maps_of(backbone: Backbone, inputs: Batches, draw: Draw | None) -> dict[tuple[int, int], Array]:
    """By (height, width), the attention maps (N, height * width) of all rows in one form, see `losses.attention`."""
    if backbone.module is None:
        raise ValueError(f"{backbone.name} has no network, and no maps: use a teacher of pictures")
    taps = Taps(backbone.module, _ends(backbone))
    each = []
    try:
        with torch.no_grad():
            for rows in parts(np.arange(len(inputs)), _BATCH):
                backbone.module(*inputs.batch(rows, draw))
                each.append(attention(taps.taken()))
    finally:
        taps.close()
    sizes = [size for size in each[0] if size[0] * size[1] <= _LARGEST]
    return {size: torch.cat([some[size] for some in each]).numpy() for size in sizes}


def _ends(backbone: Backbone) -> list[str]:
    """The last module of each stage."""
    modules = [[prefix for prefix in prefixes if prefix.endswith(".")] for _, prefixes in backbone.stages]
    return [prefixes[-1][:-1] for prefixes in modules if prefixes]
