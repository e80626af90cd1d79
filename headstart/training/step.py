"""One step down the gradient: micro-batches, mixup, mixed precision, clipping, and less at once where memory ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, SupportsFloat, cast

import numpy as np
import torch
from torch import Tensor, nn

from headstart.features.engines.device_errors import is_out_of_memory
from headstart.losses.penalty import Balance, Pass, Penalty, TaskCost
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.tasks.task import Kind
from headstart.training.late import LateFigure
from headstart.training.optimizers import skips
from headstart.training.options import Training
from headstart.training.random_state import RandomState

__all__ = ["Batch", "Features", "Step", "mixable"]

Features = Callable[..., Tensor]
"""From the inputs of a batch to features (N, D): the backbone, or what is above a cut."""


@dataclass(frozen=True)
class Batch:
    """Rows as a network takes them: its inputs, targets (N,) or (N, C), how much each row counts (N,), or for each of
    several tasks (N, T), and which rows are of a target task (N,), None where there is none; and their numbers in the
    training. A row whose target is not known counts nothing."""

    inputs: tuple[Tensor, ...]
    targets: Tensor
    weights: Tensor
    target: Tensor | None = None
    rows: Tensor | None = None

    def __len__(self) -> int:
        return len(self.weights)

    def tensors(self) -> list[Tensor]:
        """Those that are where it is calculated."""
        return [*self.inputs, self.targets, self.weights, *([] if self.target is None else [self.target])]

    def part(self, rows: slice | Tensor) -> Batch:
        """The same with only these rows; a slice copies nothing."""
        inputs = tuple(tensor[rows] for tensor in self.inputs)
        target = None if self.target is None else self.target[rows]
        numbers = None if self.rows is None else self.rows[rows if isinstance(rows, slice) else rows.cpu()]
        return Batch(inputs, self.targets[rows], self.weights[rows], target, numbers)

    def parts(self, count: int) -> list[slice | Tensor]:
        """Its rows in so many parts; where there is a target in no more than let each hold rows of both tasks."""
        if self.target is None:
            return [slice(int(part[0]), int(part[-1]) + 1) for part in np.array_split(np.arange(len(self)), count)]
        both = [torch.where(of)[0] for of in (~self.target, self.target)]
        count = min(count, *map(len, both))
        return [torch.cat(pair) for pair in zip(*(torch.tensor_split(rows, count) for rows in both), strict=True)]


class Mix(NamedTuple):
    """x <- share x + (1 - share) x[mates], and the losses of both targets alike (Zhang et al., 2018)."""

    share: float
    mates: Tensor


class Step:
    """Steps of one network by one loss.

    micro   rows that go through the network at once; halved where memory does not hold them, and `notes` says so
    done    how much of the stage is over, 0 to 1, for losses that go by it
    """

    def __init__(self, network: Network, kind: Kind, loss: Supervised, penalty: Penalty, training: Training) -> None:
        self.network, self.kind, self.loss, self.penalty, self.training = network, kind, loss, penalty, training
        loss.suits(kind, mixup=training.mixup)
        most = training.batch * (2 if loss.needs == "target" else 1)
        self.micro = min(training.micro or most, most)
        self.done = 0.0
        self.notes: list[str] = []

    def __call__(
        self, optimise: torch.optim.Optimizer, features: Features, batch: Batch, rng: np.random.Generator
    ) -> SupportsFloat:
        """Take one; the loss of the batch before it, nan where it or its gradient is not finite: then nothing moves. On
        a GPU it is known only when it is asked for, which should be when the next step is under way."""
        mix = self._mix(batch, rng)
        state = RandomState.now()
        while True:
            try:
                optimise.zero_grad()
                value = self._gradient(features, batch, mix, rng)
                break
            except (RuntimeError, MemoryError) as error:
                if not _is_memory(error) or self.micro < 2:
                    raise
            self._less(len(batch), state)
        if skips(optimise):  # its kernels do, where they are told to: so nothing waits for the device
            finite = _all_finite(value, *self._clipped(optimise))
            optimise.found_inf = (~finite).float()  # type: ignore[attr-defined]
            optimise.step()
            return LateFigure(torch.where(finite, value.to(finite.device), math.nan))
        cost = float(value)
        if math.isfinite(cost) and all(math.isfinite(float(norm)) for norm in self._clipped(optimise)):
            optimise.step()
            return cost
        return math.nan

    def _clipped(self, optimise: torch.optim.Optimizer) -> list[Tensor]:
        """Of the gradients, their norms; that of a helper is clipped by itself, so that it slows down nothing else."""
        helper = self.penalty.helper
        theirs = [] if helper is None else list(helper.module.parameters())
        apart = {id(weights) for weights in theirs}
        moving = [weights for group in optimise.param_groups for weights in group["params"] if id(weights) not in apart]
        limit = self.training.clip or math.inf
        return [nn.utils.clip_grad_norm_(some, limit) for some in (moving, theirs) if some]

    def norms(self) -> list[nn.Module]:
        """Those that go by the statistics of the batch."""
        return [m for m in self.network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.training]

    def spare_lone_rows(self, sizes: Sequence[int]) -> str:
        """One row has no variance: if it goes through the network alone in a batch of such a size, statistics of
        batches stay as they are. In words; "" where there is none."""
        if self.loss.needs == "target" or min(rows // self._count(rows) for rows in sizes) > 1:
            return ""
        norms = self.norms()
        for norm in norms:
            norm.eval()
        return "batches of one row: the statistics of BatchNorm stay those of the source" if norms else ""

    def _gradient(self, features: Features, batch: Batch, mix: Mix | None, rng: np.random.Generator) -> Tensor:
        """Add up the gradients of micro-batches; the loss."""
        if self.loss.needs == "tasks":
            value = cast(Balance, self.penalty).gradient(self._task_costs(features, batch), rng)
        else:
            value = self._summed(features, batch, mix)
        penalty = self.penalty.weights()
        if penalty is not None:
            torch.autograd.backward(penalty)
            value += penalty.detach()
        return value

    def _summed(self, features: Features, batch: Batch, mix: Mix | None) -> Tensor:
        """The loss of a batch, its gradient in the weights."""
        value = torch.zeros((), device=batch.weights.device)
        total = batch.weights.sum() if mix is None else _mixed(batch.weights, batch.weights[mix.mates], mix.share).sum()
        total = torch.where(total > 0, total, 1.0)  # of a batch without a label only a teacher has something to say
        device, half = batch.weights.device.type, self.training.precision == "bfloat16"
        for rows in batch.parts(self._count(len(batch))):
            with torch.autocast(device, torch.bfloat16, enabled=half):
                labels, extra, count = self._cost(features, batch, rows, mix)
                cost = labels / total
                if extra is not None:
                    cost = cost + extra * (count / len(batch))
            torch.autograd.backward(cost)
            value += cost.detach()
        return value

    def _task_costs(self, features: Features, batch: Batch) -> Iterator[TaskCost]:
        """Part by part of a batch whose weights are (N, T)."""
        totals = batch.weights.sum(0)
        device, half = batch.weights.device.type, self.training.precision == "bfloat16"
        for rows in batch.parts(self._count(len(batch))):
            some = batch.part(rows)
            with torch.autocast(device, torch.bfloat16, enabled=half):
                out = self.network.head(features(*some.inputs).float())
                each = self.loss.each(out, some.targets, self.kind) * some.weights
                losses = each.sum(0) / torch.where(totals > 0, totals, 1.0)
            yield TaskCost(losses, len(some) / len(batch))

    def _cost(
        self, features: Features, batch: Batch, rows: slice | Tensor, mix: Mix | None
    ) -> tuple[Tensor, Tensor | None, int]:
        """The summed loss of some rows of a batch, what else they cost in the mean, and how many they are."""
        some = batch.part(rows)
        mates = None if mix is None else batch.part(mix.mates[rows])
        inputs, mixes_inputs = some.inputs, mixable(some.inputs)
        if mix is not None and mates is not None and mixes_inputs:
            inputs = (_mixed(inputs[0], mates.inputs[0], mix.share),)
        other_features = None if mates is None or mixes_inputs else features(*mates.inputs)
        unmixed = mixed = features(*inputs)
        if mix is not None and other_features is not None:
            mixed = _mixed(unmixed, other_features, mix.share)
        out = self.network.head(mixed.float())
        labelled = (some.targets, some.weights)
        extra = self.penalty.batch(Pass(inputs, unmixed, out, self.kind, some.target, self.done, some.rows, *labelled))
        cost = (self.loss.each(out, some.targets, self.kind) * some.weights).sum()
        if mix is not None and mates is not None:
            other = (self.loss.each(out, mates.targets, self.kind) * mates.weights).sum()
            cost = _mixed(cost, other, mix.share)
        return cost, extra, len(some)

    def _count(self, rows: int) -> int:
        return max(1, -(-rows // self.micro))

    def _mix(self, batch: Batch, rng: np.random.Generator) -> Mix | None:
        if not self.training.mixup:
            return None
        share = float(rng.beta(self.training.mixup, self.training.mixup))
        mates = torch.from_numpy(rng.permutation(len(batch))).to(batch.weights.device)
        return Mix(share, mates)

    def _less(self, rows: int, state: RandomState) -> None:
        """Half as many rows at once, and the same random numbers again."""
        state.put_back()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.micro = -(-min(self.micro, rows) // 2)
        self.notes.append(
            f"memory did not hold the batch: {self.micro} rows at a time go through the network, the gradients of "
            f"{self.training.batch} are added up as before"
        )
        if note := self.spare_lone_rows([rows, max(1, rows - 1)]):
            self.notes.append(note)


def mixable(inputs: tuple[Tensor, ...]) -> bool:
    """Whether inputs can be mixed as they are: one tensor of real numbers, without a mask. Else their features are."""
    return len(inputs) == 1 and inputs[0].is_floating_point()


def _mixed(first: Tensor, other: Tensor, share: float) -> Tensor:
    return share * first + (1 - share) * other


def _all_finite(value: Tensor, *norms: Tensor) -> Tensor:
    """Whether these numbers are, where the norms are."""
    return torch.stack([value.to(norms[0].device, torch.float32), *norms]).isfinite().all()


def _is_memory(error: Exception) -> bool:
    """Whether memory has run out; torch's allocator on the CPU has no error of its own for that."""
    return isinstance(error, MemoryError) or is_out_of_memory(error) or "can't allocate memory" in str(error)
