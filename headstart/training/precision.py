"""Whether a CPU trains in bfloat16, by this rule:

1. The training is long: by a float32 step that is timed, its rows in all epochs take `WORTH` seconds or more.
2. The processor can (`engines.support`).
3. A forward and a backward pass in bfloat16 (autocast) agrees with float32 on made-up inputs: the loss to within the
   share `LOSS`, the gradient to within the cosine `COSINE`.
4. It takes float32's seconds / `FASTER` at most.

What was measured of a network on a processor is remembered, so that the next process chooses the same.
"""

from __future__ import annotations

import json
import time
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from blake3 import blake3
from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.features.cache.memory import Memory
from headstart.features.engines import processor
from headstart.features.engines.engine import Precision
from headstart.features.engines.support import obstacle
from headstart.preprocessing.sound import SoundPreprocess

__all__ = ["CPUPrecision", "Pass", "cpu_precision", "faster"]

WORTH = 120.0
FASTER = 1.15
LOSS = 0.02
COSINE = 0.9
SECONDS = 2.0
"""Of a recording, what a trial hears: a WaveNet that heard 16 of 30 seconds would take 20 GB for it."""
_FEW = 1000
_ROWS = 16
_CLASSES = 10


class CPUPrecision(NamedTuple):
    """What was chosen, and why in words; "" where nothing was measured."""

    precision: Precision
    why: str


class Pass(NamedTuple):
    """A forward and a backward pass: its seconds, its loss, and its gradients, one for each tensor of weights."""

    seconds: float
    loss: float
    gradients: list[Tensor]


_FLOAT32 = CPUPrecision("float32", "")


def cpu_precision(backbone: Backbone, rows: int, batch: int, memory: Memory) -> CPUPrecision:
    """In which precision a CPU trains this network.

    rows    that go through it at most, all epochs together
    batch   of them in a step
    """
    if rows < _FEW or backbone.module is None or not processor.has_bfloat16():
        return _FLOAT32
    subject = _subject(backbone, min(batch, _ROWS))
    if (remembered := memory.recall(*subject)) is not None:
        return CPUPrecision(remembered["precision"], remembered["why"])
    trial = _Trial(backbone, min(batch, _ROWS))
    if trial.step("float32").seconds / trial.rows * rows < WORTH:
        return _FLOAT32
    if why := obstacle("torch", "bfloat16", memory):
        choice = CPUPrecision("float32", why)
    else:
        choice = faster(trial.step("float32"), [trial.step("bfloat16") for _ in range(2)][-1])
    memory.remember(*subject, value=choice._asdict())
    return choice


def faster(wide: Pass, narrow: Pass) -> CPUPrecision:
    """Of a pass in float32 and one in bfloat16: bfloat16 where it agrees and is faster by `FASTER`."""
    cosine = _cosine(wide.gradients, narrow.gradients)
    if not (abs(narrow.loss - wide.loss) <= LOSS * abs(wide.loss) and cosine >= COSINE):  # never so where one is NaN
        why = f"loss {narrow.loss:.4g} against {wide.loss:.4g}, cosine of the gradients {cosine:.3g}"
        return CPUPrecision("float32", f"bfloat16 does not agree with float32: {why}")
    words = f"measured: a step takes {narrow.seconds:.2g} s in bfloat16, {wide.seconds:.2g} s in float32"
    return CPUPrecision("bfloat16" if wide.seconds >= FASTER * narrow.seconds else "float32", words)


class _Trial:
    """Passes of a copy of a network, all of whose weights are open, over made-up inputs and classes."""

    def __init__(self, backbone: Backbone, rows: int) -> None:
        if backbone.module is None or backbone.preprocess is None:
            raise ValueError(f"{backbone.name} has no network to train: its features are the columns themselves")
        self.rows = rows
        preprocess = backbone.preprocess
        if isinstance(preprocess, SoundPreprocess):
            preprocess = preprocess.shortened(SECONDS)
        arrays = (np.resize(array, (rows, *array.shape[1:])) for array in preprocess.probe())
        self.inputs = preprocess.tensors(*map(torch.from_numpy, arrays))
        self.module = deepcopy(backbone.module).eval().requires_grad_(True).to(memory_format=torch.channels_last)
        generator = torch.Generator().manual_seed(0)
        self.head = torch.randn(backbone.dim, _CLASSES, generator=generator) / backbone.dim**0.5
        self.classes = torch.arange(rows) % _CLASSES

    def step(self, precision: Precision) -> Pass:
        self.module.zero_grad()
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            features = self.module(*self.inputs).float()
        size = features.detach().square().mean().sqrt().clamp(min=torch.finfo(torch.float32).tiny)
        loss = nn.functional.cross_entropy(features / size @ self.head, self.classes)
        torch.autograd.backward(loss)
        seconds = time.perf_counter() - start
        gradients = [weights.grad.clone() for weights in self.module.parameters() if weights.grad is not None]
        return Pass(seconds, float(loss.detach()), gradients)


def _cosine(first: list[Tensor], second: list[Tensor]) -> float:
    """Of two gradients as one vector each; summed in float64, for the vector may have 10^8 numbers."""

    def product(some: list[Tensor], others: list[Tensor]) -> float:
        return sum(float((a.double() * b.double()).sum()) for a, b in zip(some, others, strict=True))

    length = (product(first, first) * product(second, second)) ** 0.5
    return product(first, second) / length if length else 0.0


def _subject(backbone: Backbone, rows: int) -> tuple[str, ...]:
    """What a choice holds for: the architecture and its input, rows of a step, torch, its threads, the processor."""
    size = None if backbone.preprocess is None else backbone.preprocess.shape
    network = blake3(json.dumps([backbone.spec, size], sort_keys=True, default=str).encode()).hexdigest()
    counts = (str(rows), str(torch.get_num_threads()))
    return "training", network, *counts, torch.__version__, processor.identity()
