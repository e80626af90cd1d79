"""Where a training calculates, how precisely, and who runs the part of a network that is frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from headstart.features.cache.session import Session
from headstart.features.engines.support import obstacle
from headstart.features.engines.wish import Wish
from headstart.features.extract import Extraction
from headstart.training.options import Training

__all__ = ["below", "settle"]


def settle(training: Training, extraction: Extraction) -> tuple[torch.device, Training, tuple[str, ...]]:
    """The device, the training with its precision decided, and why that is not what was asked for."""
    cuda = Wish(device=extraction.device).cuda
    device = torch.device(cuda or "cpu")
    if training.precision == "auto":
        return device, replace(training, precision="bfloat16" if cuda else "float32"), ()
    if training.precision == "bfloat16" and not cuda:
        why = obstacle("torch", "bfloat16", Session(extraction.cache).memory)
        if why:
            return device, replace(training, precision="float32"), (f"trained in float32: {why}",)
    return device, training, ()


def below(engine: Mapping[str, Any], extraction: Extraction) -> Extraction:
    """How the frozen part is run: by the engine of the features, which is settled already ({}: none was needed)."""
    used = engine or {"name": "torch", "precision": "float32"}
    return replace(extraction, engine=used["name"], precision=used["precision"], cache=None, thumbs=False)
