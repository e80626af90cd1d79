"""Randomness that stays inside: weights are drawn from their own seed and the caller's generator does not move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

__all__ = ["Undrawn", "seeded"]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within the block torch draws on the CPU from `seed`; after it the generator is where it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


class Undrawn(TorchFunctionMode):
    """A block in which parameters are not drawn, but hold whatever memory held: for networks that are filled at once,
    so that no time is spent on numbers that nobody sees."""

    DRAWS = frozenset(
        ["normal_", "uniform_", "kaiming_normal_", "kaiming_uniform_", "xavier_normal_", "xavier_uniform_"]
    )
    """By their names: of tensors, of torch.nn.init, and of what other libraries put in the place of that."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        if getattr(func, "__name__", "") in self.DRAWS:
            drawn = args[0] if args else options["tensor"]
            if isinstance(drawn, nn.Parameter):
                return drawn
        return func(*args, **options)
