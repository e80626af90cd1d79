"""The image processor of a transformers folder as picture preprocessing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headstart.errors import BackboneError
from headstart.preprocessing.spec import PicturePreprocess, preprocess_from_json, preprocess_to_json

__all__ = ["picture_preprocess"]

INTERPOLATION = {2: "bilinear", 3: "bicubic"}


def picture_preprocess(folder: Path) -> PicturePreprocess:
    """From preprocessor_config.json, with the defaults of its class filled in by transformers.

    A processor that squashes to a larger square and then crops (DeiT) is read as: resize the shorter side, crop.
    """
    from transformers import AutoImageProcessor

    try:
        settings = AutoImageProcessor.from_pretrained(folder, local_files_only=True).to_dict()
    except Exception as error:  # transformers raises OSError, ValueError, KeyError or ImportError by turns
        raise BackboneError(f"{folder}: no image processor that transformers reads: {str(error)[:300]}") from error
    size, resize, squash = _geometry(settings, folder)
    normalize = settings.get("do_normalize", True)
    if not settings.get("do_rescale", True) or abs(settings.get("rescale_factor", 1 / 255) * 255 - 1) > 1e-3:
        raise BackboneError(f"{folder}: the image processor does not scale pixels to [0, 1]; that is not supported.")
    interpolation: Any = INTERPOLATION.get(int(settings.get("resample", 2)), "neither of them")
    preprocess = PicturePreprocess(
        size=size,
        resize=resize,
        interpolation=interpolation,
        mean=tuple(settings["image_mean"]) if normalize else (0.0, 0.0, 0.0),
        std=tuple(settings["image_std"]) if normalize else (1.0, 1.0, 1.0),
        squash=squash,
    )
    preprocess_from_json(preprocess_to_json(preprocess))
    return preprocess


def _geometry(settings: dict[str, Any], folder: Path) -> tuple[tuple[int, int], int, bool]:
    """(height, width), the shorter side before the crop, and whether to squash instead."""
    size = settings.get("size") or {}
    crop = settings.get("crop_size") if settings.get("do_center_crop") else None
    edge = size.get("shortest_edge")
    if edge and settings.get("crop_pct") and not crop:  # ConvNeXt: below 384 pixels it crops, from there it squashes
        return (edge, edge), int(edge / settings["crop_pct"]), edge >= 384
    shorter = edge or min(size.get("height", 0), size.get("width", 0))
    if not shorter or not settings.get("do_resize", True):
        raise BackboneError(f"{folder}: the image processor's size {size} is not supported; expected a fixed size.")
    if crop:
        return (crop["height"], crop["width"]), shorter, False
    if edge:
        return (edge, edge), edge, False
    return (size["height"], size["width"]), shorter, True
