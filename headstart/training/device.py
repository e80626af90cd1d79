"""Where a training calculates, how precisely, and who runs the part of a network that is frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from headstart.backbones.backbone import Backbone
from headstart.features.cache.session import Session
from headstart.features.engines.support import obstacle
from headstart.features.engines.wish import Wish
from headstart.features.extract import Extraction
from headstart.training.options import Training
from headstart.training.precision import cpu_precision

__all__ = ["below", "settle"]


def settle(
    training: Training, extraction: Extraction, backbone: Backbone | None = None, rows: int = 0
) -> tuple[torch.device, Training, tuple[str, ...]]:
    """The device, the training with its precision decided, and why that is not float32 or what was asked for.

    backbone, rows   what is trained, and on how many rows: for a long training on a CPU the precision is measured
    """
    cuda = Wish(device=extraction.device).cuda
    device = torch.device(cuda or "cpu")
    if training.precision == "auto" and cuda:
        return device, replace(training, precision="bfloat16"), ()
    if training.precision == "auto":
        if backbone is None:
            return device, replace(training, precision="float32"), ()
        passes = rows * training.epochs * (2 if rows <= training.refit else 1)
        choice = cpu_precision(backbone, passes, training.batch, Session(extraction.cache).memory)
        notes = (f"trained in bfloat16 ({choice.why})",) if choice.precision == "bfloat16" else ()
        return device, replace(training, precision=choice.precision), notes
    if training.precision == "bfloat16" and not cuda:
        why = obstacle("torch", "bfloat16", Session(extraction.cache).memory)
        if why:
            return device, replace(training, precision="float32"), (f"trained in float32: {why}",)
    return device, training, ()


def below(engine: Mapping[str, Any], extraction: Extraction) -> Extraction:
    """How the frozen part is run: by the engine of the features, which is settled already ({}: none was needed)."""
    used = engine or {"name": "torch", "precision": "float32"}
    return replace(extraction, engine=used["name"], precision=used["precision"], cache=None, thumbs=False)
