"""Batches on their way through a GPU: while one is calculated the next is copied there and the last one comes back.

Copies overlap with the arithmetic only from and to page-locked memory, which is slow to get: each batch borrows the
buffers of one that is done. A second stream carries the inputs there; features come back on the first, after the
kernels that make them. Nothing waits for the device but who asks for a batch's rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.features.engines.engine import Pending, Rows, checked
from headstart.tasks.task import Array

__all__ = ["Pipeline"]


class Pipeline:
    """A function of tensors on a device, for arrays of this machine. Threads may share it.

    forward   from the tensors of a batch to its features (N, D), without waiting for the device
    width     D
    """

    def __init__(self, device: torch.device, forward: Callable[..., Tensor], width: int) -> None:
        self._device, self._forward, self._width = device, forward, width
        self._uploads = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._stream = torch.cuda.default_stream(device)
        self._launching, self._borrowing = Lock(), Lock()
        self._free: list[_Buffers] = []

    def start(self, *inputs: Array | Sequence[Array]) -> Pending:
        """Hand over a batch: arrays (N, ...), or a sequence of N arrays, which become one. They may change afterwards.

        Whoever calls what is returned gets its rows (N, width) and waits for them; to be called once.
        """
        buffers = self._borrowed()
        try:
            here = [buffers.filled(number, batch) for number, batch in enumerate(inputs)]
            with self._launching, torch.inference_mode():
                self._launch(buffers, here)
        except BaseException:
            self._stream.synchronize()  # what was begun still reads the buffers
            self._give_back(buffers)
            raise
        count = len(inputs[0])
        return lambda: self._rows(buffers, count)

    def _launch(self, buffers: _Buffers, here: list[Tensor]) -> None:
        with torch.cuda.stream(self._uploads):
            there = [tensor.to(self._device, non_blocking=True) for tensor in here]
        self._stream.wait_stream(self._uploads)
        with torch.cuda.stream(self._stream):
            for tensor in there:
                tensor.record_stream(self._stream)
            buffers.fetch(self._forward(*there).float())
            buffers.done.record(self._stream)

    def _rows(self, buffers: _Buffers, count: int) -> Rows:
        buffers.done.synchronize()
        rows = checked(buffers.fetched.numpy().copy(), count, self._width)
        self._give_back(buffers)
        return rows

    def _borrowed(self) -> _Buffers:
        with self._borrowing:
            return self._free.pop() if self._free else _Buffers()

    def _give_back(self, buffers: _Buffers) -> None:
        with self._borrowing:
            self._free.append(buffers)


class _Buffers:
    """Page-locked memory of one batch: its inputs, as bytes, and its features.

    done      the event after which the features are there, and the inputs may be written again
    fetched   the features (N, D)
    """

    def __init__(self) -> None:
        self.done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        self.fetched = torch.empty(0)
        self._inputs: list[Tensor] = []
        self._features = torch.empty(0)

    def filled(self, number: int, batch: Array | Sequence[Array]) -> Tensor:
        """A copy of an input of the batch."""
        first = batch if isinstance(batch, np.ndarray) else batch[0]
        shape = first.shape if isinstance(batch, np.ndarray) else (len(batch), *first.shape)
        place: Any = torch.from_numpy(np.empty(0, first.dtype)).dtype
        size = math.prod(shape) * first.itemsize
        if number == len(self._inputs):
            self._inputs.append(torch.empty(0, dtype=torch.uint8))
        if len(self._inputs[number]) < size:
            self._inputs[number] = torch.empty(size, dtype=torch.uint8, pin_memory=True)
        tensor = self._inputs[number][:size].view(place).view(shape)
        if isinstance(batch, np.ndarray):
            np.copyto(tensor.numpy(), batch)
        else:
            np.stack(batch, out=tensor.numpy())
        return tensor

    def fetch(self, features: Tensor) -> None:
        """Have the features copied here, behind the kernels that make them."""
        if self._features.numel() < features.numel():
            self._features = torch.empty(features.numel(), pin_memory=True)
        self.fetched = self._features[: features.numel()].view(features.shape)
        self.fetched.copy_(features, non_blocking=True)
