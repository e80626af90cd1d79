"""Fits the network to the prior: batches of synthetic tasks, Muon and AdamW, an average of the weights, exact resume.

    minimise  E over tasks of  -log p(answer of a row asked | the row, the context)

A network that does so answers as Bayes' rule under the prior would (Mueller et al., 2022). Hidden matrices learn by
Muon (Jordan et al., 2024), the rest by AdamW. Each step's tasks are drawn from the seed and the step's number alone.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import torch
from blake3 import blake3
from torch import Tensor, nn
from torch.nn import functional as F

from headstart.table_prior.chance import Chance
from headstart.table_prior.muon import Muon
from headstart.table_prior.network import Design, TablePrior
from headstart.table_prior.tasks import Batch, draw, draw_shape

__all__ = ["Fitting", "Losses", "Schedule", "loss_of", "two_hot", "validated"]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast.

    steps    in all; the rate rises over the first `rise` of them and falls to 0 over the last share `fall`
    batches  a step, of about `cells` cells each
    keep     of the average of the weights, each step
    largest  rows of a context
    lanes    threads that calculate batches side by side
    """

    steps: int = 20_000
    rise: int = 100
    fall: float = 0.25
    rate: float = 2e-3
    decay: float = 0.01
    batches: int = 4
    cells: int = 3_000
    keep: float = 0.998
    largest: int = 400
    lanes: int = 2
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Of learning, at a step from 0."""
        left = (self.steps - step) / max(1.0, self.fall * self.steps)
        return self.rate * min(1.0, (step + 1) / self.rise, max(0.0, left))

    def chance(self, step: int, batch: int, device: str) -> Chance:
        """What the tasks of a batch are drawn by."""
        digest = blake3(f"{self.seed}/{step}/{batch}".encode()).digest(length=7)
        return Chance(int.from_bytes(digest, "little"), device)


class Losses(NamedTuple):
    """Mean log losses in nats over validation batches: of classifications, and of regressions in bins."""

    classification: float
    regression: float


def two_hot(values: Tensor, centres: Tensor) -> Tensor:
    """(..., BINS) the two bins about a value, weighted so that their mean is the value; the outermost beyond them."""
    above = torch.searchsorted(centres, values.contiguous()).clamp(1, len(centres) - 1)
    low, high = centres[above - 1], centres[above]
    share = ((values - low) / (high - low)).clamp(0.0, 1.0)
    weights = F.one_hot(above - 1, len(centres)) * (1 - share)[..., None]
    return weights + F.one_hot(above, len(centres)) * share[..., None]


def loss_of(network: TablePrior, batch: Batch) -> Tensor:
    """Mean log loss of the rows that count, in nats."""
    context, classes = batch.shape.context, batch.shape.classes
    logits = network(batch.x, batch.answers[:, :context], classes).log_softmax(-1)
    targets = batch.answers[:, context:]
    truth = F.one_hot(targets, classes).to(logits.dtype) if classes else two_hot(targets, network.centres)
    losses = -(truth * logits).sum(-1)
    mean: Tensor = (losses * batch.counted).sum() / batch.counted.sum().clamp_min(1)
    return mean


def validated(network: TablePrior, *, seed: int = 1, batches: int = 32, cells: int = 3_000) -> Losses:
    """On tasks that no training with another seed draws."""
    schedule, device = Schedule(seed=-seed), str(network.centres.device)
    sums: dict[bool, list[float]] = {True: [], False: []}
    with torch.inference_mode():
        for number in range(batches):
            chance = schedule.chance(0, number, device)
            batch = draw(chance, draw_shape(chance, cells=cells))
            sums[bool(batch.shape.classes)].append(float(loss_of(network, batch)))
    means = [sum(losses) / max(1, len(losses)) for losses in (sums[True], sums[False])]
    return Losses(*means)


class Fitting:
    """A network that learns: its weights, their average, the optimizers, and how many steps are done."""

    def __init__(self, design: Design, schedule: Schedule, device: str = "cpu") -> None:
        torch.manual_seed(schedule.seed)
        self.schedule, self.device, self.step = schedule, device, 0
        self.network = TablePrior(design).to(device)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self._lanes = [copy.deepcopy(self.network) for _ in range(schedule.lanes)]
        matrices, others = _parted(self.network)
        self.optimizers: list[torch.optim.Optimizer] = [
            Muon(matrices, decay=schedule.decay),
            torch.optim.AdamW(others, weight_decay=0.0, betas=(0.9, 0.98)),
        ]

    def run(self, seconds: float) -> Iterator[float]:
        """Steps until they are done or so many seconds are over; gives the training loss of each."""
        end = time.monotonic() + seconds
        with ThreadPoolExecutor(len(self._lanes)) as pool:
            while self.step < self.schedule.steps and time.monotonic() < end:
                yield self._advance(pool)

    def _advance(self, pool: ThreadPoolExecutor) -> float:
        rate = self.schedule.rate_at(self.step)
        losses = list(pool.map(self._lane, range(len(self._lanes))))
        for parameter, *copies in zip(self.network.parameters(), *(n.parameters() for n in self._lanes), strict=True):
            parameter.grad = torch.stack([_gradient(replica) for replica in copies]).sum(0)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        keep = min(self.schedule.keep, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for mean, parameter in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(parameter, 1 - keep)
        self.step += 1
        return sum(losses) / self.schedule.batches

    def _lane(self, lane: int) -> float:
        """The gradients of this lane's batches, and the sum of their losses."""
        network, schedule = self._lanes[lane], self.schedule
        network.load_state_dict(self.network.state_dict())
        network.zero_grad(set_to_none=True)
        total = 0.0
        for number in range(lane, schedule.batches, schedule.lanes):
            chance = schedule.chance(self.step, number, self.device)
            batch = draw(chance, draw_shape(chance, cells=schedule.cells, largest=schedule.largest))
            loss = loss_of(network, batch)
            (loss / schedule.batches).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return total


def _parted(network: TablePrior) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Matrices of the layers, and all else."""
    named = list(network.named_parameters())
    hidden = {name for name, p in named if p.ndim == 2 and name.startswith(("cells.", "rows."))}
    return [p for name, p in named if name in hidden], [p for name, p in named if name not in hidden]


def _gradient(parameter: Tensor) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
