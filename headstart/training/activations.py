"""The cut cache: what crosses a cut, computed once for each form of each row, and read from a file in every epoch."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from tempfile import TemporaryFile, gettempdir
from typing import IO, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from headstart.tasks.task import Array
from headstart.training.augmentation import Draw, View, Views
from headstart.training.batches import InputBatches, Part, moved
from headstart.training.cut import Below, Cut

__all__ = ["Activations", "Form", "cost"]

_PIECE = 1 << 26
"""Bytes of float32 that are computed and written at a time."""

_BATCH = 32


class Form(NamedTuple):
    """A row in one of its forms; -1 is the plain one."""

    row: int
    number: int


def cost(inputs: InputBatches, cut: Cut, forms: list[Form], dtype: torch.dtype) -> int:
    """The bytes that the file will have."""
    return dtype.itemsize * sum(_figures(inputs, cut, form.row) for form in forms)


class Activations:
    """Batches whose inputs begin with what crosses the cut, for the function that `Cut.above` gives.

    The file has no name, so that nothing is left of it after `close`, nor where the process is killed. Raises OSError
    where the disk does not take it.
    """

    def __init__(
        self, inputs: InputBatches, backbone: nn.Module, cut: Cut, forms: list[Form], *, seed: int, dtype: torch.dtype
    ) -> None:
        self._inputs, self._cut, self._seed, self._dtype = inputs, cut, seed, dtype
        with TemporaryFile() as file:  # what is mapped of it stays until it is let go
            self._starts = self._written(file, Below(backbone, cut), forms)
            self._values = torch.from_numpy(np.memmap(file, np.uint8, "r+")).view(dtype)

    def __len__(self) -> int:
        return len(self._inputs)

    def batch(self, rows: Array, draw: Draw | None) -> tuple[Tensor, ...]:
        """What crosses, float32 (N, ...), and the inputs of the backbone, which for pictures are only a shape."""
        inputs = self._inputs.above(rows, draw)
        tokens = self._inputs.preprocess.measure(inputs)
        out = torch.zeros(self._cut.shape.of(len(rows), tokens))
        for place, row in enumerate(rows):
            number = draw.number(row) if isinstance(draw, Views) else -1
            shape = self._cut.shape.of(1, self._inputs.length(row))
            start = self._starts[Form(int(row), number)]
            values = self._values[start : start + math.prod(shape)].view(shape)[0]
            out[place][_box(values.shape)] = values.float()
        return (moved(out, inputs[0].device), *inputs)

    def close(self) -> None:
        """The file goes."""
        self._values = torch.empty(0)

    def _written(self, file: IO[bytes], below: Below, forms: list[Form]) -> dict[Form, int]:
        """Where in the file each form begins, in figures."""
        starts: dict[Form, int] = {}
        at = 0
        for some, values in self._computed(below, forms):
            for form, value in zip(some, values, strict=True):
                starts[form] = at
                at += value.numel()
                file.write(value.to(self._dtype).contiguous().view(torch.uint8).numpy().data)
        file.flush()
        return starts

    def _computed(self, below: Below, forms: list[Form]) -> Iterator[tuple[list[Form], list[Tensor]]]:
        width = math.prod(self._cut.shape.of(1, 0))
        part = self._inputs.part(_Flat(below), width, self._cut.place)
        if part is not None:
            yield from self._by_engine(part, width, forms)
            return
        forms = sorted(forms, key=lambda form: (form.number, -self._inputs.length(form.row), form.row))
        for some in _pieces(forms, _BATCH):
            rows = np.array([form.row for form in some])
            with torch.no_grad():
                out = below(*self._inputs.batch(rows, self._draw(some[0]))).cpu()
            shapes = [self._cut.shape.of(1, self._inputs.length(form.row)) for form in some]
            yield some, [activation[_box(shape[1:])] for activation, shape in zip(out, shapes, strict=True)]

    def _by_engine(self, part: Part, width: int, forms: list[Form]) -> Iterator[tuple[list[Form], list[Tensor]]]:
        for some in _pieces(forms, max(_BATCH, _PIECE // (4 * width))):
            values = part(np.array([form.row for form in some]), self._draw(some[0]))
            yield some, list(torch.from_numpy(values))

    def _draw(self, form: Form) -> Draw | None:
        return None if form.number < 0 else View(self._seed, form.number)


class _Flat(nn.Module):
    """What crosses, as rows of figures."""

    def __init__(self, below: Below) -> None:
        super().__init__()
        self.below = below

    def forward(self, *inputs: Tensor) -> Tensor:
        crossing: Tensor = self.below(*inputs)
        return crossing.flatten(1)


def _box(shape: Sequence[int]) -> tuple[slice, ...]:
    """The corner of this shape of a larger array."""
    return tuple(slice(size) for size in shape)


def _figures(inputs: InputBatches, cut: Cut, row: int) -> int:
    return math.prod(cut.shape.of(1, inputs.length(row)))


def _pieces(forms: list[Form], most: int) -> Iterator[list[Form]]:
    """Runs of forms of one number, at most so long."""
    start = 0
    for at in range(1, len(forms) + 1):
        if at == len(forms) or at - start == most or forms[at].number != forms[start].number:
            yield forms[start:at]
            start = at


def free_space() -> int:
    """Bytes that the disk of temporary files has left."""
    return shutil.disk_usage(gettempdir()).free
