"""A picture in cells of a grid; a cell that is missing is as blurred as if nothing were to be seen there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch.nn import functional

from headstart.artefact.model import Model
from headstart.explanations.asking import answers_to_all
from headstart.explanations.attribution import Attribution, Way
from headstart.explanations.grad_cam import grad_cam, last_maps
from headstart.explanations.integrated import integrated_gradients
from headstart.explanations.network import network_of, slopeless
from headstart.explanations.occlusion import occlusion
from headstart.explanations.question import Question
from headstart.explanations.rollout import SAME_FOR_ALL, attention_rollout
from headstart.features.extraction import Extraction
from headstart.features.picture_input import Source
from headstart.preprocessing.decode import DRAFT
from headstart.preprocessing.spec import PicturePreprocess
from headstart.tasks.task import Array

__all__ = ["PictureCase"]

CELLS = 7
"""A side of the grid: as many as the last maps of networks for pictures have. In finer cells random orders tear a
picture to a mosaic, and no explanation is much better."""
_WINDOW = 2
_LARGEST = 224
_BLUR = 8
"""The radius of the blur, as a part of the longer side."""


class PictureCase:
    """One picture of a model, as its backbone sees it.

    pixels   (H, W, 3) uint8: resized and cropped as the preprocessing says; where no single network looks at it, the
             whole picture, smaller
    """

    def __init__(self, model: Model, item: Any, extraction: Extraction) -> None:
        self._model, self._extraction = model, extraction
        self._network = network_of(model)
        window = getattr(model.backbone and model.backbone.preprocess, "window", None)
        resize = 0 if self._network is None else cast(PicturePreprocess, self._network.preprocess).resize
        decoded = Source(item).decode(draft=resize <= DRAFT // 2, window=window)
        if self._network is None:
            self.pixels = _smaller(decoded.permute(1, 2, 0).numpy())
        else:
            self.pixels = cast(PicturePreprocess, self._network.preprocess).prepare(decoded)[0]
        height, width = self.pixels.shape[:2]
        self.shape: tuple[int, int] | None = (min(CELLS, height), min(CELLS, width))
        rows, columns = self.shape
        self.parts = tuple(f"row {row + 1}, column {column + 1}" for row in range(rows) for column in range(columns))
        self.notes: tuple[str, ...] = ()
        self._of_cell = _edges(height, rows)[:, None] * columns + _edges(width, columns)[None, :]

    def ask(self, kept: Array) -> Array:
        """See `Case`."""
        parts = []
        for row in np.asarray(kept, bool):
            parts.append(np.where(row[self._of_cell][:, :, None], self.pixels, self.blurred))
        if self._network is None:
            return answers_to_all(self._model, parts, self._extraction)
        return self._network.predict(parts, self._model.kind)

    @property
    def ways(self) -> Mapping[str, Way]:
        """See `Case`: Grad-CAM of convolutions, roll-out of a transformer, integrated gradients, occlusion."""
        ways: dict[str, Way] = {}
        if self._has_slope and self._has_maps:
            ways["grad-cam"] = self._grad_cam
        elif self._rollout is not None:
            ways["rollout"] = self._rolled_out
        if self._has_slope:
            ways["integrated-gradients"] = self._integrated
        return ways | {"occlusion": self._occluded}

    @property
    def without(self) -> Mapping[str, str]:
        """See `Case`."""
        why = slopeless(self._model)
        if why:
            without = dict.fromkeys(("grad-cam", "integrated-gradients"), why)
        else:
            without = {} if self._has_maps else {"grad-cam": "no layer of its network puts out maps"}
        return without if "rollout" in self.ways else without | {"rollout": "it has no attention over one grid"}

    @cached_property
    def blurred(self) -> Array:
        """(H, W, 3) uint8."""
        radius = max(self.pixels.shape[:2]) / _BLUR
        return np.asarray(Image.fromarray(self.pixels).filter(ImageFilter.GaussianBlur(radius)))

    @property
    def _has_slope(self) -> bool:
        return self._network is not None and not self._network.slopeless

    @cached_property
    def _has_maps(self) -> bool:
        return self._network is not None and last_maps(self._network, self._network.tensors([self.pixels]))

    @cached_property
    def _rollout(self) -> Array | None:
        if self._network is None:
            return None
        return attention_rollout(self._network, self._network.tensors([self.pixels]))

    def _grad_cam(self, question: Question) -> Attribution:
        network = self._of_slope
        return self._of_map(grad_cam(network, question, network.tensors([self.pixels])))

    def _rolled_out(self, question: Question) -> Attribution:
        return self._of_map(np.asarray(self._rollout))._replace(note=SAME_FOR_ALL)

    def _integrated(self, question: Question) -> Attribution:
        network = self._of_slope
        x, baseline = (network.tensors([pixels])[0] for pixels in (self.pixels, self.blurred))
        values, base, score = integrated_gradients(lambda point: question.of_logits(network.logits(point)), x, baseline)
        fine = values.sum(0)
        cells = np.bincount(self._of_cell.ravel(), fine.ravel(), len(self.parts))
        return Attribution(cells, fine, base, score, gap=float(abs(fine.sum() - (score - base))))

    def _occluded(self, question: Question) -> Attribution:
        attribution = occlusion(self, question, side=_WINDOW)
        return attribution._replace(fine=_larger(attribution.values.reshape(cast(Any, self.shape)), self.pixels.shape))

    @property
    def _of_slope(self) -> Any:
        if self._network is None:
            raise ValueError(slopeless(self._model))
        return self._network

    def _of_map(self, coarse: Array) -> Attribution:
        """Of a map of whatever grid: the mean over each cell."""
        fine = _larger(coarse, self.pixels.shape)
        sums, sizes = (np.bincount(self._of_cell.ravel(), w, len(self.parts)) for w in (fine.ravel(), None))
        return Attribution(sums / sizes, fine)


def _edges(side: int, cells: int) -> Array:
    """(side,) the cell of each pixel."""
    return np.arange(side) * cells // side


def _larger(coarse: Array, shape: tuple[int, ...]) -> Array:
    """(H, W), bilinear."""
    maps = torch.from_numpy(np.array(coarse, np.float64))[None, None]
    return np.asarray(functional.interpolate(maps, shape[:2], mode="bilinear", align_corners=False)[0, 0].numpy())


def _smaller(pixels: Array) -> Array:
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((_LARGEST, _LARGEST))
    return np.asarray(picture)
