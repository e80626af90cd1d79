"""How the losses of several tasks become one step: what every weighing has in common.

Two families. By losses: one total, and one pass back through the network. By gradients: a pass back for each task, the
rows of G (T, P) on the weights that all tasks share; a direction is made of them, and each head, which only its own
task reaches, goes down its own gradient, times a number where the paper weighs whole losses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from headstart.losses.penalty import Context, Helper, Norms, TaskCost
from headstart.losses.supervised import Needs, Supervised
from headstart.tasks.task import Kind

__all__ = ["ByGradients", "ByLosses", "Combined", "Weighing", "gram", "memory"]


@dataclass(frozen=True, kw_only=True)
class Weighing(Supervised):
    """Options as of `Supervised`; label smoothing holds for the tasks that have classes."""

    needs: ClassVar[Needs] = "tasks"

    def suits(self, kind: Kind, *, mixup: float) -> None:
        """Raises ValueError where there is one task, or rows are mixed."""
        if not kind.parts:
            raise ValueError(
                f"{type(self).__name__} weighs the losses of several targets, and there is one: name several, "
                "--target a,b"
            )
        if mixup:
            raise ValueError(f"mixup = {mixup}: rows of several targets, of which some may be missing, are not mixed")


class Combined(NamedTuple):
    """What gradients are made into: a number for each task, by which its row of G is taken (T,), and one by which the
    gradient of its own head is."""

    shared: Tensor
    heads: Tensor


class ByLosses(Norms):
    """total   (T,) losses, and the share of the batch that they are of -> what goes down"""

    def __init__(
        self, context: Context, loss: Weighing, total: Callable[[Tensor, float], Tensor], helper: Helper | None = None
    ) -> None:
        super().__init__(context.network, l1=loss.l1, l2=loss.l2)
        self._total, self.helper = total, helper

    def gradient(self, costs: Iterable[TaskCost], rng: np.random.Generator) -> Tensor:
        """See `Balance`."""
        value = torch.zeros(())
        for cost, share in costs:
            total = self._total(cost, share)
            torch.autograd.backward(total)
            value = value.to(total.device) + total.detach()
        return value


class ByGradients(Norms):
    """combine   G G' (T, T) and the losses (T,), both float64 on the CPU, and random numbers -> how they are combined;
    tasks without an answer in the batch are left out"""

    def __init__(
        self,
        context: Context,
        loss: Weighing,
        combine: Callable[[Tensor, Tensor, Tensor, np.random.Generator], Combined],
        helper: Helper | None = None,
    ) -> None:
        super().__init__(context.network, l1=loss.l1, l2=loss.l2)
        self._combine, self.helper = combine, helper

    def gradient(self, costs: Iterable[TaskCost], rng: np.random.Generator) -> Tensor:
        """See `Balance`."""
        shared, head_weights = (
            [weights for weights in module.parameters() if weights.requires_grad]
            for module in (self._network.backbone, self._network.head)
        )
        rows: list[Tensor] = []
        heads: list[list[Tensor | None]] = []
        losses = torch.zeros(0)
        for cost, _ in costs:
            if not rows:
                losses = torch.zeros_like(cost.detach())
                rows = [torch.zeros(sum(w.numel() for w in shared), device=cost.device) for _ in cost]
                heads = [[None] * len(head_weights) for _ in cost]
            losses = losses + cost.detach()
            for task in range(len(cost)):
                last = task == len(cost) - 1
                gradients = torch.autograd.grad(
                    cost[task], [*shared, *head_weights], retain_graph=not last, allow_unused=True
                )
                rows[task] += _flat(gradients[: len(shared)], shared)
                heads[task] = [_sum(a, b) for a, b in zip(heads[task], gradients[len(shared) :], strict=True)]
        G = torch.stack(rows)
        taken = self._taken(G, losses, rng)
        _put(shared, (taken.shared.to(G) @ G) if len(shared) else G.new_zeros(0))
        for place, weights in enumerate(head_weights):
            parts = [
                by * grad[place]
                for by, grad in zip(taken.heads.to(losses), heads, strict=True)
                if grad[place] is not None
            ]
            weights.grad = torch.stack(parts).sum(0) if parts else None
        return losses.sum()

    def _taken(self, G: Tensor, losses: Tensor, rng: np.random.Generator) -> Combined:
        """Of the tasks that have a gradient; the others are not moved."""
        K = gram(G)
        active = torch.nonzero(K.diagonal() > 0).flatten()
        shared, heads = torch.zeros(len(K), dtype=torch.float64), torch.ones(len(K), dtype=torch.float64)
        if len(active):
            some = self._combine(K[active][:, active], losses.detach().double().cpu()[active], active, rng)
            shared[active], heads[active] = some.shared, some.heads
        return Combined(shared, heads)


def gram(G: Tensor) -> Tensor:
    """G G' (T, T) in float64 on the CPU, where the few numbers that remain are reckoned with."""
    return (G @ G.T).double().cpu()


def memory(**tensors: Tensor) -> nn.Module:
    """A module that holds what a weighing remembers from step to step, so that a killed run finds it again."""
    module = nn.Module()
    for name, tensor in tensors.items():
        module.register_buffer(name, tensor)
    return module


def _flat(grads: Iterable[Tensor | None], weights: list[nn.Parameter]) -> Tensor:
    parts = [torch.zeros_like(w).flatten() if g is None else g.flatten() for g, w in zip(grads, weights, strict=True)]
    return torch.cat(parts).float() if parts else torch.zeros(0)


def _sum(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    return second if first is None else first if second is None else first + second


def _put(weights: list[nn.Parameter], direction: Tensor) -> None:
    start = 0
    for parameter in weights:
        parameter.grad = direction[start : start + parameter.numel()].view_as(parameter).to(parameter.dtype)
        start += parameter.numel()
