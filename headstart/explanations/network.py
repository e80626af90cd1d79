"""A fitted model as one torch network with a slope: its backbone in float32, and the torch form of its own head.

What has none (an ONNX file, trees, answers in context, several models averaged, no backbone at all) is named in words,
and explained by taking parts of the input away.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from headstart.artefact.model import Model
from headstart.backbones.onnx import Onnx
from headstart.heads.arrays import UTILITY
from headstart.heads.head import Head
from headstart.heads.module import HeadModule, signed_root
from headstart.linalg.torch_threads import one_torch_thread
from headstart.preprocessing.preprocess import Preprocess
from headstart.tasks.task import Array

__all__ = ["Network", "head_network", "network_of", "slopeless"]

_ROWS, _PICTURES = 16, 4
"""Inputs at a time; of pictures fewer, see `features.engines.torch_engine`."""
_LEAST_ROOT = 0.01


class Network(NamedTuple):
    """backbone     inputs -> (N, D)
    head         (N, D) -> (N, C) logits over the temperature, float64
    preprocess   of the inputs
    slopeless    why gradients tell nothing of it; "" where they do
    """

    backbone: nn.Module
    head: nn.Module
    preprocess: Preprocess
    slopeless: str

    def logits(self, *inputs: Tensor) -> Tensor:
        """(N, C)."""
        logits: Tensor = self.head(self.backbone(*inputs))
        return logits

    def predict(self, prepared: Sequence[Array], kind: Any) -> Array:
        """Prepared inputs, as `Preprocess.prepare` gives them -> predictions, a few rows at a time."""
        rows = _ROWS if self.preprocess.shape is None else _PICTURES
        with torch.inference_mode(), one_torch_thread():
            parts = [
                self.logits(*self.tensors(prepared[at : at + rows])).numpy() for at in range(0, len(prepared), rows)
            ]
        return np.asarray(kind.probabilities(np.concatenate(parts), 1.0))

    def tensors(self, prepared: Sequence[Array]) -> tuple[Tensor, ...]:
        """What the backbone takes of prepared inputs."""
        batch = self.preprocess.collate(prepared)
        return self.preprocess.tensors(*(torch.from_numpy(array) for array in batch))


class _Root(nn.Module):
    """sign(x) sqrt(|x|), whose endless slope at 0 is cut off, before a head."""

    least: Tensor

    def __init__(self, least: Tensor) -> None:
        super().__init__()
        self.register_buffer("least", least)

    def forward(self, features: Tensor) -> Tensor:
        return signed_root(features.double(), self.least)


def head_network(head: Head) -> nn.Module:
    """(N, D) features -> (N, C) logits over the temperature, in float64."""
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in head.arrays.items() if name != UTILITY}
    module = HeadModule(tensors, "plain", head.temperature)
    if head.form == "plain":
        return module
    width = tensors["turn"].shape[0] if "turn" in tensors else len(tensors["mean"])
    least = torch.full((width,), _LEAST_ROOT, dtype=torch.float64)
    if "turn" not in tensors:
        least = 0.1 * tensors["scale"].double()
    return nn.Sequential(_Root(least), module)


def slopeless(model: Model) -> str:
    """Why a model has no gradients that tell of its answers; "" where it has."""
    if model.beside:
        return f"it averages {len(model.members)} models"
    if model.backbone is None or model.backbone.module is None:
        return "it has no network below its head"
    if any(isinstance(part, Onnx) for part in model.backbone.module.modules()):
        return "its backbone is an ONNX file, which is run as it is and has no gradients"
    return _flat(model.head)


def _flat(head: Head) -> str:
    if "trees" in head.arrays:
        return f"the {head.name} head is made of steps, whose slope is 0"
    return f"the {head.name} head answers in context and has no gradients" if "context" in head.arrays else ""


def network_of(model: Model) -> Network | None:
    """The network of a model that stands on one backbone; None where it does not."""
    backbone = model.backbone
    if model.beside or backbone is None or backbone.module is None or backbone.preprocess is None:
        return None
    if model.encoder is not None:
        return None
    module = deepcopy(backbone.module).eval().to(memory_format=torch.channels_last)
    return Network(module, head_network(model.head), backbone.preprocess, slopeless(model))
