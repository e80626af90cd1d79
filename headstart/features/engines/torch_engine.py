"""The torch engine: eager, channels last, on the CPU in float32 or bfloat16, or on a CUDA device.

Batches are small on the CPU: activations beyond 32 MiB are taken from and given back to the system by malloc at every
layer, and the page faults cost as much as the arithmetic.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.features.engines.engine import Precision, Rows, Runner, checked
from headstart.tasks.task import Array

__all__ = ["TorchEngine"]

_PICTURES = {"float32": 4, "bfloat16": 8}
_PICTURES_CUDA = 64
_TOKENS = 2048
_TOKENS_CUDA = 16384


class TorchEngine:
    """Runs a copy of the backbone's module; the backbone itself stays as it is, and may go before the engine does."""

    def __init__(self, backbone: Backbone, precision: Precision, device: str) -> None:
        if backbone.module is None or backbone.preprocess is None:
            raise ValueError(f"{backbone.name} has no network to run: its features are the columns themselves")
        self._width = backbone.dim
        self._preprocess = backbone.preprocess
        self.fixed = backbone.preprocess.shape is not None
        self._device = torch.device(device)
        self._dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        on_cuda = self._device.type == "cuda"
        if self.fixed:
            self.batch = _PICTURES_CUDA if on_cuda else _PICTURES[precision]
        else:
            self.batch = _TOKENS_CUDA if on_cuda else _TOKENS
        self._module = self._placed(backbone.module)

    def lane(self) -> Runner:
        """The same function for every thread: torch modules may be called from several."""
        return self._run

    def _placed(self, module: nn.Module) -> nn.Module:
        copy = deepcopy(module).eval().to(self._device)
        copy = copy.to(memory_format=torch.channels_last)
        # On CUDA, autocast keeps float32 where it matters; on a CPU it would cast the weights again at every call.
        return copy if self._device.type == "cuda" else copy.to(self._dtype)

    def _run(self, *inputs: Array) -> Rows:
        with torch.inference_mode():
            tensors = [self._moved(torch.from_numpy(array)) for array in inputs]
            features: Any = self._forward(tensors)
            return checked(features.float().cpu().numpy(), len(inputs[0]), self._width)

    def _moved(self, tensor: Tensor) -> Tensor:
        if self._device.type == "cuda":
            return tensor.pin_memory().to(self._device, non_blocking=True)
        return tensor

    def _forward(self, tensors: list[Tensor]) -> Tensor:
        inputs = self._preprocess.tensors(*tensors)
        if self._device.type == "cpu":
            inputs = tuple(tensor.to(self._dtype) if tensor.is_floating_point() else tensor for tensor in inputs)
            features: Tensor = self._module(*inputs)
            return features
        half = self._dtype == torch.bfloat16
        with torch.autocast("cuda", torch.bfloat16, enabled=half), torch.backends.cudnn.flags(allow_tf32=half):
            features = self._module(*inputs)
        return features
