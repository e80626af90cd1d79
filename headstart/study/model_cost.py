"""What a fitted model costs: its size, and the time that one input takes on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from headstart.artefact import Model
from headstart.artefact.tensors import tensors_of
from headstart.training.batches import batches

__all__ = ["ModelCost", "costs_of"]

_INPUTS, _TIMES = 8, 5


class ModelCost(NamedTuple):
    """megabytes      of all weights, as the model is stored
    parameters     how many figures learnt: of the network, and of the head
    milliseconds   the median over inputs that go through network and head one by one, read and prepared before, in
                   torch and float32 on the processor
    """

    megabytes: float
    parameters: int
    milliseconds: float


def costs_of(models: Sequence[Sequence[Model]], inputs: Sequence[Any]) -> list[ModelCost]:
    """Of each set of models whose answers are put together. They are timed by turns, so that what else the machine does
    falls on all of them."""
    some = list(inputs[:_INPUTS])
    clocks = [_Clock(several, some) for several in models]
    for _ in range(_TIMES):
        for clock in clocks:
            clock.go()
    return [ModelCost(_megabytes(s), _parameters(s), c.median()) for s, c in zip(models, clocks, strict=True)]


class _Clock:
    """Times a set of models on prepared inputs."""

    def __init__(self, models: Sequence[Model], inputs: Sequence[Any]) -> None:
        self._parts = []
        for model in models:
            if model.backbone is not None and model.backbone.module is not None:
                feed = batches(inputs, model.backbone)
                each = [feed.batch(np.array([row]), None) for row in range(len(feed))]
                self._parts.append((model.backbone.module, model.head, each))
        self._seconds: list[float] = []
        self._answer(0)  # the first call makes what later ones find made

    def go(self) -> None:
        """Once through all inputs."""
        for row in range(len(self._parts[0][2]) if self._parts else 0):
            began = time.perf_counter()
            self._answer(row)
            self._seconds.append(time.perf_counter() - began)

    def median(self) -> float:
        """In milliseconds; NaN where there was nothing to time."""
        return 1e3 * float(np.median(self._seconds)) if self._seconds else float("nan")

    def _answer(self, row: int) -> None:
        with torch.inference_mode():
            for module, head, each in self._parts:
                head.predict(module(*each[row]).numpy())


def _megabytes(models: Sequence[Model]) -> float:
    tensors = [tensor for model in models for tensor in tensors_of(model, slim=False).values()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors) / 1e6


def _parameters(models: Sequence[Model]) -> int:
    heads = sum(array.size for model in models for array in model.head.arrays.values())
    modules = [model.backbone.module for model in models if model.backbone is not None]
    return heads + sum(p.numel() for module in modules if module is not None for p in module.parameters())
