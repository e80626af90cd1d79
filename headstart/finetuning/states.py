"""Whole states of a network, weights and running statistics: copies of them, and points between and among them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["State", "average", "between", "copied"]

State = dict[str, Tensor]


def copied(network: nn.Module) -> State:
    """A copy of everything that the network's state holds."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def between(first: State, other: State, alpha: float) -> State:
    """(1 - alpha) first + alpha other; counters, which are whole numbers, are taken from the nearer one."""
    if alpha in (0.0, 1.0):
        return dict(other if alpha else first)
    return {
        name: torch.lerp(value, other[name], alpha) if value.is_floating_point() else (first, other)[alpha > 0.5][name]
        for name, value in first.items()
    }


def average(states: Sequence[State]) -> State:
    """The mean of each weight, in float64; counters are those of the first."""
    if len(states) == 1:
        return dict(states[0])
    return {
        name: sum((state[name].double() for state in states), torch.zeros(())).div(len(states)).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }
