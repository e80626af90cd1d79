"""How a picture is varied for two views to be told apart from all others only by what they show.

A part of the picture resized to the whole, mirrored or not; brightness, contrast, saturation and hue changed; colour
taken away; blurred (Chen et al., 2020, "A Simple Framework for Contrastive Learning of Visual Representations",
appendix A). Leave out what your classes differ by: `jitter=0` and `grey=0` where they differ by colour, `flip=0` where
they differ by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from headstart.checks import between
from headstart.preprocessing.resize import resize
from headstart.preprocessing.vision import vision
from headstart.tasks.task import Array

__all__ = ["Pair", "Variation"]

_JITTERED = 0.8
_ASPECT = (3 / 4, 4 / 3)
_SIGMA = (0.1, 2.0)
_HUE = 0.25
"""Of the strength of the other changes."""


@dataclass(frozen=True, kw_only=True)
class Variation:
    """crop    the smallest share of the area that a view shows; 1: all of it
    flip    share of views that are mirrored
    jitter  how far colours change, in four of five views; 0: not
    grey    share of views without colour
    blur    share of views that are blurred
    """

    crop: float = 0.25
    flip: float = 0.5
    jitter: float = 0.4
    grey: float = 0.2
    blur: float = 0.3

    def __post_init__(self) -> None:
        if not 0 < self.crop <= 1:
            raise ValueError(f"crop = {self.crop}: expected more than 0, at most 1, such as 0.25")
        for name in ("flip", "jitter", "grey", "blur"):
            between(name, getattr(self, name), 0, 1)

    def __call__(self, picture: Tensor, rng: np.random.Generator) -> Tensor:
        """uint8 (3, H, W) -> uint8 (3, H, W)."""
        functional = vision()
        view = self._part(picture, rng)
        if rng.random() < self.flip:
            view = functional.horizontal_flip_image(view)
        if rng.random() < _JITTERED and self.jitter:
            view = self._coloured(view, rng)
        if rng.random() < self.grey:
            view = functional.rgb_to_grayscale_image(view, num_output_channels=3)
        if rng.random() < self.blur:
            size = max(3, round(0.1 * min(view.shape[1:])) // 2 * 2 + 1)
            view = functional.gaussian_blur_image(view, [size, size], [float(rng.uniform(*_SIGMA))] * 2)
        return view

    def _part(self, picture: Tensor, rng: np.random.Generator) -> Tensor:
        """A part of a share of the area drawn from `crop` to 1, resized to the whole."""
        _, height, width = picture.shape
        area, aspect = rng.uniform(self.crop, 1.0), np.exp(rng.uniform(*np.log(_ASPECT)))
        if self.crop == 1:
            return picture
        high = max(1, min(height, round(height * np.sqrt(area / aspect))))
        wide = max(1, min(width, round(width * np.sqrt(area * aspect))))
        top, left = int(rng.integers(0, height - high + 1)), int(rng.integers(0, width - wide + 1))
        part = picture[:, top : top + high, left : left + wide]
        return resize(part, (height, width))

    def _coloured(self, view: Tensor, rng: np.random.Generator) -> Tensor:
        """The four changes in an order that is drawn."""
        functional, strength = vision(), self.jitter
        changes: list[Callable[[Tensor, float], Tensor]] = [
            functional.adjust_brightness_image,
            functional.adjust_contrast_image,
            functional.adjust_saturation_image,
        ]
        factors = [float(rng.uniform(1 - strength, 1 + strength)) for _ in changes]
        hue = float(rng.uniform(-_HUE * strength, _HUE * strength))
        for place in rng.permutation(len(changes) + 1):
            if place < len(changes):
                view = changes[place](view, factors[place])
            else:
                view = functional.adjust_hue_image(view, hue)
        return view


@dataclass(frozen=True)
class Pair:
    """Two views of each picture."""

    variation: Variation

    def __call__(self, picture: Tensor, rng: np.random.Generator) -> tuple[Tensor, Array | None]:
        """uint8 (2, 3, H, W)."""
        return torch.stack([self.variation(picture, rng) for _ in range(2)]), None
