"""What feeds the learning part of a network: the inputs themselves, or what crosses the cut below that part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from headstart.network import Network
from headstart.tasks.task import Array, Kind
from headstart.training.activations import Activations, Form, cost, free_space
from headstart.training.batches import Batches, InputBatches
from headstart.training.cut import Cut, find_cut
from headstart.training.options import Training
from headstart.training.step import Features, mixable

__all__ = ["NOBODY", "Data", "Feed", "open_feed"]

NOBODY: Array = np.arange(0)


class Data(NamedTuple):
    """Rows to learn from and rows to stop by: row numbers of `inputs`. targets (N,) or (N, C), weights (N,), or
    (N, T) of several tasks.

    target   rows of a target task, to learn from too: by their targets where their weights are above 0
    teacher  (N, C) what a teacher answers to each row of `inputs`, for a loss that learns from one
    teacher_features, teacher_maps   see `Context`
    teacher_views   in how many forms the teacher was asked of each row, which are shown in turn: its arrays are then
                    (views N, ...), form by form. 0: once, of the plain row
    """

    inputs: InputBatches
    targets: Tensor
    weights: Tensor
    kind: Kind
    train: Array
    val: Array
    target: Array = NOBODY
    teacher: Tensor | None = None
    teacher_features: Tensor | None = None
    teacher_maps: Mapping[tuple[int, int], Tensor] = MappingProxyType({})
    teacher_views: int = 0


class Feed(NamedTuple):
    """inputs of a function to features; and in how many forms each row comes, 0 where it is varied anew each time."""

    inputs: Batches
    features: Features
    views: int


@contextmanager
def open_feed(
    network: Network,
    data: Data,
    training: Training,
    epochs: int,
    tell: Callable[[str], None],
    *,
    whole: bool = False,
) -> Iterator[Feed]:
    """Of the stage that is open. What the part below computes is cached where that pays and the disk holds it.

    epochs  at most, in this stage
    whole   the part below must run in every step
    """
    inputs = data.inputs
    longest = max((*data.train, *data.target, *data.val), key=lambda row: inputs.length(int(row)))
    example = inputs.batch(np.array([longest]), None)
    plain = Feed(inputs, network.backbone, 0)
    mixes_inputs = bool(training.mixup) and mixable(example)
    cut = None if whole or mixes_inputs else find_cut(network.backbone, example, inputs.preprocess)
    if cut is None:
        yield plain
        return
    views = training.views if training.augment else 0
    forms = [Form(int(row), k) for k in (range(views) if views else [-1]) for row in (*data.train, *data.target)]
    forms += [Form(int(row), -1) for row in data.val]
    plain = plain._replace(views=views)
    cached = _cached(network, inputs, cut, forms, training, tell) if epochs > max(1, views) else None
    if cached is None:
        yield plain
        return
    try:
        with cut.above(network.backbone) as above:
            yield Feed(cached, above, views)
    finally:
        cached.close()


def _cached(
    network: Network, inputs: InputBatches, cut: Cut, forms: list[Form], training: Training, tell: Callable[[str], None]
) -> Activations | None:
    """None where the disk has no room, or not so much as was allowed."""
    dtype = torch.bfloat16 if training.precision == "bfloat16" else torch.float32
    size = cost(inputs, cut, forms, dtype)
    if not training.disk:
        return None
    words = f"what the frozen part makes of {len(forms):,} inputs takes {_size(size)} on the disk"
    try:
        room = min(training.disk * 1e9, 0.9 * free_space())
        if size > room:
            tell(f"{words}, more than the {_size(room)} there are: the frozen part runs in every epoch")
            return None
        tell(f"{words} while the stage learns")
        with network.asked():
            return Activations(inputs, network.backbone, cut, forms, seed=training.seed, dtype=dtype)
    except OSError as error:
        tell(f"the disk did not take it ({error}): the frozen part runs in every epoch")
        return None


def _size(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, size / 1e6):.0f} MB"
