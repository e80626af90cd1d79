"""The torch engine: eager, channels last, on the CPU in float32 or bfloat16, or on a CUDA device.

Batches are small on the CPU: activations beyond 32 MiB are taken from and given back to the system by malloc at every
layer, and the page faults cost as much as the arithmetic. On a GPU they are as large as `_on_cuda` says, several are on
their way at a time (`pipeline.py`), and in bfloat16 the copy of the network is cast once, its batch norms folded into
the convolutions before them (`folding.py`) or left in float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from headstart.backbones.backbone import Backbone
from headstart.backbones.torch_only import takes_exact_inputs
from headstart.features.engines.engine import Pending, Precision, Rows, Runner, Unfit, checked
from headstart.features.engines.folding import fold
from headstart.features.engines.pipeline import Pipeline
from headstart.preprocessing.preprocess import Preprocess
from headstart.tasks.task import Array

__all__ = ["TorchEngine"]

_PICTURES = {"float32": 4, "bfloat16": 8}
_TOKENS = 2048
_FLIGHT = 2
"""Batches that a GPU is given before the rows of the first are asked for."""

_PICTURES_CUDA = 256
_TOKENS_CUDA = 1 << 16
_LEAST_CUDA = 8
_BYTES_A_NUMBER = 160
"""About what a picture takes of a GPU's memory, for each number of its input: 24 MB at 224 x 224."""

_BYTES_A_TOKEN = 1 << 18
_BYTES_OF_FEATURES = 1 << 26


class TorchEngine:
    """Runs a copy of the backbone's module; the backbone itself stays as it is, and may go before the engine does."""

    def __init__(self, backbone: Backbone, precision: Precision, device: str) -> None:
        if backbone.module is None or backbone.preprocess is None:
            raise ValueError(f"{backbone.name} has no network to run: its features are the columns themselves")
        self._name, self._width = backbone.name, backbone.dim
        self._preprocess = backbone.preprocess
        self.fixed = backbone.preprocess.shape is not None
        self._device = torch.device(device)
        self._dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self._exact = takes_exact_inputs(backbone.module)
        self._pipeline: Pipeline | None = None
        if self._device.type == "cuda":
            self.batch, self.flight = _on_cuda(self._preprocess, self._width, self._device), _FLIGHT
            self._module = self._cast(backbone.module)
            self._pipeline = Pipeline(self._device, self._on_device, self._width)
        else:
            self.batch, self.flight = _PICTURES[precision] if self.fixed else _TOKENS, 0
            self._module = deepcopy(backbone.module).eval().to(memory_format=torch.channels_last).to(self._dtype)
        self.lengths: tuple[int, ...] = (self.batch,)

    def lane(self) -> Runner:
        """The same function for every thread: torch modules may be called from several."""
        return self._run if self._pipeline is None else lambda *inputs: self.start(*inputs)()

    def start(self, *inputs: Array | Sequence[Array]) -> Pending:
        """On a GPU: hand over a batch, see `Pipeline.start`."""
        if self._pipeline is None:
            raise ValueError(f"an engine on {self._device} calculates while it is called: use `lane`")
        return self._pipeline.start(*inputs)

    def _run(self, *inputs: Array) -> Rows:
        with torch.inference_mode():
            tensors = self._preprocess.tensors(*(torch.from_numpy(array) for array in inputs))
            features: Any = self._module(*self._typed(tensors))
            return checked(features.float().cpu().numpy(), len(inputs[0]), self._width)

    def _typed(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if self._exact:
            return tensors
        return tuple(tensor.to(self._dtype) if tensor.is_floating_point() else tensor for tensor in tensors)

    def _cast(self, module: nn.Module) -> nn.Module:
        """The copy on the GPU: in bfloat16 all of it but the batch norms that are left, whose statistics would suffer.

        `Unfit` where the network mixes types by itself, so that it does not calculate in bfloat16.
        """
        copy = deepcopy(module).eval().requires_grad_(False).to(self._device)
        if self._dtype == torch.float32:
            return copy.to(memory_format=torch.channels_last)
        some = [torch.from_numpy(array).to(self._device) for array in self._preprocess.probe()]
        inputs = self._preprocess.tensors(*some)
        fold(copy, inputs)
        norms = [part for part in copy.modules() if isinstance(part, _BatchNorm)]
        exact = [{name: value.clone() for name, value in norm.state_dict().items()} for norm in norms]
        copy.to(self._dtype).to(memory_format=torch.channels_last)
        for norm, state in zip(norms, exact, strict=True):
            norm.float().load_state_dict(state)
        try:
            with torch.inference_mode():
                copy(*self._typed(inputs))
        except RuntimeError as error:
            if "dtype" not in str(error) and "same type" not in str(error):
                raise
            raise Unfit(f"{self._name} does not calculate in bfloat16 on {self._device}: {error}") from error
        return copy

    def _on_device(self, *inputs: Tensor) -> Tensor:
        tensors = self._typed(self._preprocess.tensors(*inputs))
        features: Tensor
        if self._dtype == torch.bfloat16:
            features = self._module(*tensors)
            return features
        before = torch.backends.cudnn.allow_tf32
        torch.backends.cudnn.allow_tf32 = False
        try:
            features = self._module(*tensors)
        finally:
            torch.backends.cudnn.allow_tf32 = before
        return features


def _on_cuda(preprocess: Preprocess, width: int, device: torch.device) -> int:
    """A power of two: how many pictures, or tokens, a quarter of the device's memory holds and `_BYTES_OF_FEATURES`
    the features of; within limits. Of the whole memory, so that it does not depend on what else runs there."""
    memory = torch.cuda.get_device_properties(device).total_memory // 4
    if preprocess.shape is None:
        return _power(min(_TOKENS_CUDA, max(_TOKENS, memory // _BYTES_A_TOKEN)))
    numbers = preprocess.largest()[0].numel()
    most = min(_PICTURES_CUDA, memory // (_BYTES_A_NUMBER * numbers), _BYTES_OF_FEATURES // (4 * width))
    return _power(max(_LEAST_CUDA, most))


def _power(number: int) -> int:
    """The largest power of two that is no larger."""
    return 1 << int(math.log2(number))
