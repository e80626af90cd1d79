"""What a trial of a race will take of memory and disk, from measured sizes, so that one beyond a limit is not begun.

    memory   what the process held when the race began + features (rows x columns x 4 bytes, `_COPIES` times)
             + of a training: inputs as they are prepared, `_STATES` numbers of each weight that moves (a copy, the best
             so far, its gradient, two moments of Adam) and twice what all modules put out for a batch, forward and back
    disk     features that the cache is to keep, the weights that the model will hold, and of a training a journal
             (weights and moments) where there is a cache, and what crosses the cut (`training.cut`) in all its forms

What modules put out, and what crosses, is measured on the longest rows of the task, once a backbone.
"""

from __future__ import annotations

import math
import mmap
import re
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from headstart.automl.race.space import Arm
from headstart.backbones.backbone import Backbone
from headstart.errors import DataError
from headstart.tasks.task import Task
from headstart.training.batches import batches

__all__ = ["Limits", "Needs", "Sizes", "StageSize", "bytes_of", "held_bytes", "needs_of", "sizes_of"]

_UNITS = {
    **{"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12},
    **{"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40},
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)")
_FLOAT, _COPIES, _STATES, _BATCH, _VIEWS, _LONGEST, _TRIED = 4, 3, 5, 16, 4, 2, 200


def bytes_of(size: str | float, what: str = "memory") -> float:
    """Bytes of "4GB", "500 MB", "2GiB", or of a number. ValueError for what is no size above 0."""
    expected = f"{what}={size!r}: expected a size such as 4GB, 500MB, 2GiB, or a number of bytes"
    if isinstance(size, bool) or not isinstance(size, str | int | float):
        raise ValueError(expected)
    match = _SIZE.fullmatch(str(size).strip().lower())
    if match is None or match.group(2) not in _UNITS:
        raise ValueError(expected)
    number = float(match.group(1)) * _UNITS[match.group(2)]
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{expected}, more than none")
    return number


class Needs(NamedTuple):
    """Bytes of memory, at the height of the process, and of disk."""

    memory: float
    disk: float


class Limits(NamedTuple):
    """The most bytes of memory and of disk that a race may take; None: no limit of its own."""

    memory: float | None = None
    disk: float | None = None

    def obstacle(self, needs: Needs) -> str:
        """In words, what would go beyond a limit; "" where nothing does."""
        for what, need, most in (("memory", needs.memory, self.memory), ("disk", needs.disk, self.disk)):
            if most is not None and need > most:
                return f"it would take about {_words(need)} of {what}, above the limit of {_words(most)}"
        return ""

    def __bool__(self) -> bool:
        return self.memory is not None or self.disk is not None


class StageSize(NamedTuple):
    """Of a stage: its weights; bytes that its modules put out for a row, and that cross to the next."""

    weights: int
    put_out: int
    crossing: int


class Sizes(NamedTuple):
    """Of a backbone: weights; bytes of a row as it is prepared; its stages, lowest first."""

    weights: int
    prepared: int
    stages: tuple[StageSize, ...]


def sizes_of(backbone: Backbone, task: Task) -> Sizes:
    """Measured on the longest rows of a task."""
    module = backbone.module
    if module is None:
        return Sizes(0, 0, ())
    inputs = _longest(backbone, task)
    out = _PutOut()
    handles = [part.register_forward_hook(partial(out.count, name)) for name, part in module.named_modules()]
    try:
        with torch.inference_mode():
            module(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    rows = len(inputs[0])
    leaves = {name: out.get(name, 0) // rows for name, part in module.named_modules() if not list(part.children())}
    weights = {name: weight.numel() for name, weight in module.named_parameters()}
    stages = tuple(
        StageSize(
            sum(size for name, size in weights.items() if name.startswith(prefixes)),
            sum(size for name, size in leaves.items() if f"{name}.".startswith(prefixes)),
            out.get(prefixes[-1].rstrip("."), 0) // rows,
        )
        for _, prefixes in backbone.stages
    )
    return Sizes(sum(weights.values()), sum(tensor.numel() for tensor in inputs) // rows, stages)


def _longest(backbone: Backbone, task: Task) -> tuple[Tensor, ...]:
    """The longest rows that can be read, as the backbone takes them; DataError where of some hundred none can."""
    order = sorted(range(len(task)), key=lambda row: -len(str(task.inputs[row])))[:_TRIED]
    readable: list[Any] = []
    for row in order:
        try:
            batches([task.inputs[row]], backbone)
        except (DataError, OSError, ValueError):
            continue
        readable.append(task.inputs[row])
        if len(readable) == _LONGEST:
            break
    if not readable:
        raise DataError(f"none of {len(order)} {task.modality.noun} can be read")
    return batches(readable, backbone).batch(np.arange(len(readable)), None)


class _PutOut(dict[str, int]):
    """By module, bytes that it last put out."""

    def count(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        tensors = output if isinstance(output, tuple | list) else (output,)
        self[name] = sum(_FLOAT * each.numel() for each in tensors if isinstance(each, Tensor))


def needs_of(arm: Arm, options: Mapping[str, Any], sizes: Sizes, dim: int, rows: int, *, cached: bool) -> Needs:
    """Of a trial, beside what the process and the disk hold already.

    dim    columns of its features; rows: all, of which a training takes at most as many
    cached whether features and journals are kept on the disk
    """
    features = float(_FLOAT * rows * dim)
    memory, disk = _COPIES * features, features * cached + _FLOAT * sizes.weights
    if not arm.tuned:
        return Needs(memory, disk)
    top = int(options.get("stages", len(sizes.stages)))
    below, moving = sizes.stages[:-top], sizes.stages[-top:]
    moved = sum(stage.weights for stage in moving)
    memory += rows * sizes.prepared + _FLOAT * (sizes.weights + _STATES * moved)
    memory += 2 * _BATCH * sum(stage.put_out for stage in moving)
    disk += 3 * _FLOAT * moved * cached
    if below:
        disk += rows * (_VIEWS if options.get("augment") else 1) * below[-1].crossing
    return Needs(memory, disk)


def held_bytes() -> float:
    """What the process holds in memory now; where the system does not say, the most that it has held, or 0."""
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        return float(statistics.read_text().split()[1]) * mmap.PAGESIZE
    if sys.platform == "win32":
        return 0.0
    import resource

    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def _words(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, math.ceil(size / 1e6)):,} MB"
