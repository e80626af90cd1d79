"""One step down the gradient: micro-batches, mixup, mixed precision, clipping, and less at once where memory ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from headstart.data.task import Kind
from headstart.losses.regular import Regular
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.training import Training

__all__ = ["Batch", "Features", "Step"]

Features = Callable[..., Tensor]
"""From the inputs of a batch to features (N, D): the backbone, or what is above a cut."""


@dataclass(frozen=True)
class Batch:
    """Rows as a network takes them: its inputs, targets (N,) or (N, C), and how much each row counts (N,)."""

    inputs: tuple[Tensor, ...]
    targets: Tensor
    weights: Tensor

    def __len__(self) -> int:
        return len(self.weights)

    def part(self, rows: slice | Tensor) -> Batch:
        """The same with only these rows; a slice copies nothing."""
        return Batch(tuple(tensor[rows] for tensor in self.inputs), self.targets[rows], self.weights[rows])


class Mix(NamedTuple):
    """x <- share x + (1 - share) x[mates], and the losses of both targets alike (Zhang et al., 2018)."""

    share: float
    mates: Tensor


class Step:
    """Steps of one network by one loss.

    micro   rows that go through the network at once; halved where memory does not hold them, and `notes` says so
    """

    def __init__(self, network: Network, kind: Kind, loss: Supervised, regular: Regular, training: Training) -> None:
        self.network, self.kind, self.loss, self.regular, self.training = network, kind, loss, regular, training
        self.micro = min(training.micro or training.batch, training.batch)
        self.notes: list[str] = []

    def __call__(
        self, optimise: torch.optim.Optimizer, features: Features, batch: Batch, rng: np.random.Generator
    ) -> float:
        """Take one; the loss of the batch before it, nan where it or its gradient is not finite: then nothing moves."""
        mix = self._mix(batch, rng)
        state = torch.get_rng_state()
        while True:
            try:
                optimise.zero_grad()
                value = self._gradient(features, batch, mix)
                break
            except (RuntimeError, MemoryError) as error:
                if not _is_memory(error) or self.micro < 2:
                    raise
            self._less(len(batch), state)
        moving = [weights for group in optimise.param_groups for weights in group["params"]]
        norm = nn.utils.clip_grad_norm_(moving, self.training.clip or math.inf)
        if math.isfinite(value) and math.isfinite(float(norm)):
            optimise.step()
            return value
        return math.nan

    def norms(self) -> list[nn.Module]:
        """Those that go by the statistics of the batch."""
        return [m for m in self.network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.training]

    def spare_lone_rows(self, sizes: Sequence[int]) -> str:
        """One row has no variance: if it goes through the network alone in a batch of such a size, statistics of
        batches stay as they are. In words; "" where there is none."""
        if min(rows // self._count(rows) for rows in sizes) > 1:
            return ""
        norms = self.norms()
        for norm in norms:
            norm.eval()
        return "batches of one row: the statistics of BatchNorm stay those of the source" if norms else ""

    def _gradient(self, features: Features, batch: Batch, mix: Mix | None) -> float:
        """Add up the gradients of micro-batches; the loss."""
        value = torch.zeros((), device=batch.weights.device)
        total = batch.weights.sum() if mix is None else _mixed(batch.weights, batch.weights[mix.mates], mix.share).sum()
        device, half = batch.weights.device.type, self.training.precision == "bfloat16"
        for rows in self._parts(len(batch)):
            with torch.autocast(device, torch.bfloat16, enabled=half):
                cost = self._cost(features, batch, rows, mix) / total
            torch.autograd.backward(cost)
            value += cost.detach()
        penalty = self.regular.weights()
        if penalty is not None:
            torch.autograd.backward(penalty)
            value += penalty.detach()
        return float(value)

    def _cost(self, features: Features, batch: Batch, rows: slice, mix: Mix | None) -> Tensor:
        """The summed loss of some rows of a batch."""
        some = batch.part(rows)
        mates = None if mix is None else batch.part(mix.mates[rows])
        inputs, pictures = some.inputs, len(some.inputs) == 1  # texts have a mask, with or without a cut
        if mix is not None and mates is not None and pictures:
            inputs = (_mixed(inputs[0], mates.inputs[0], mix.share),)
        found = features(*inputs)
        extra = self.regular.batch(inputs, found)
        if mix is not None and mates is not None and not pictures:
            found = _mixed(found, features(*mates.inputs), mix.share)
        out = self.network.head(found.float())
        cost = (self.loss.each(out, some.targets, self.kind) * some.weights).sum()
        if mix is not None and mates is not None:
            other = (self.loss.each(out, mates.targets, self.kind) * mates.weights).sum()
            cost = _mixed(cost, other, mix.share)
        return cost if extra is None else cost + extra * some.weights.sum()

    def _parts(self, rows: int) -> Iterator[slice]:
        for part in np.array_split(np.arange(rows), self._count(rows)):
            yield slice(int(part[0]), int(part[-1]) + 1)

    def _count(self, rows: int) -> int:
        return max(1, -(-rows // self.micro))

    def _mix(self, batch: Batch, rng: np.random.Generator) -> Mix | None:
        if not self.training.mixup:
            return None
        share = float(rng.beta(self.training.mixup, self.training.mixup))
        mates = torch.from_numpy(rng.permutation(len(batch))).to(batch.weights.device)
        return Mix(share, mates)

    def _less(self, rows: int, state: Tensor) -> None:
        """Half as many rows at once, and the same random numbers again."""
        torch.set_rng_state(state)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.micro = -(-min(self.micro, rows) // 2)
        self.notes.append(
            f"memory did not hold the batch: {self.micro} rows at a time go through the network, the gradients of "
            f"{self.training.batch} are added up as before"
        )
        if note := self.spare_lone_rows([rows, max(1, rows - 1)]):
            self.notes.append(note)


def _mixed(one: Tensor, other: Tensor, share: float) -> Tensor:
    return share * one + (1 - share) * other


def _is_memory(error: Exception) -> bool:
    """Whether memory has run out; torch's allocator on the CPU has no error of its own for that."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)
