"""The one training loop: stages in turn, the best weights kept, and a killed run that goes on to the same bits.

Everything random is drawn anew from (seed, stage, epoch, step), so that a checkpoint needs no state of a generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from headstart.batches import Batches
from headstart.checkpoint import Checkpoint, Journal
from headstart.data.task import Array, Kind
from headstart.errors import TrainingError
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.optimizers import learning, schedule
from headstart.training import Training
from headstart.tune.stage import Stage, Tune

__all__ = ["Curve", "Data", "Trained", "logits", "train"]


class Data(NamedTuple):
    """Rows to learn from and rows to stop by: row numbers of `inputs`. targets (N,) or (N, C), weights (N,)."""

    inputs: Batches
    targets: Tensor
    weights: Tensor
    kind: Kind
    train: Array
    val: Array


class Curve(NamedTuple):
    """One epoch: the mean loss of the training rows as they were varied, and that of the validation rows."""

    stage: int
    epoch: int
    train: float
    val: float


class Trained(NamedTuple):
    """What a training has to tell: every epoch, and in words what went wrong on the way."""

    curves: list[Curve]
    notes: list[str]


Told = Callable[[int, int], None]
"""Called after each epoch with (epochs done in this stage, epochs at most)."""


def train(
    network: Network,
    data: Data,
    tune: Tune,
    loss: Supervised,
    training: Training,
    journal: Journal,
    told: Told = lambda done, total: None,
) -> Trained:
    """Train in place, and keep a journal of it; each stage ends with its best weights by validation loss, those that
    it began with included.

    `TrainingError` where the loss is not finite before there is a better epoch; after one, its weights are kept.
    """
    run = _Run(network, data, loss, training, journal, told)
    before = torch.get_rng_state()
    try:
        for number, stage in enumerate(tune(network)):
            run.stage(number, stage)
    finally:
        torch.set_rng_state(before)
        network.requires_grad_(False).eval()
    return Trained(run.curves, run.notes)


def logits(network: nn.Module, inputs: Batches, rows: Array, batch: int = 32) -> Tensor:
    """(N, C) of rows as they are in prediction; the network is asked in eval mode."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    with torch.no_grad():
        parts = [network(*inputs.batch(some, None)) for some in _parts(rows, batch)]
    for module, mode in modes:
        module.training = mode
    return torch.cat(parts)


class _Run:
    """One training, from the first stage to the last."""

    def __init__(
        self, network: Network, data: Data, loss: Supervised, training: Training, journal: Journal, told: Told
    ) -> None:
        self.network, self.data, self.loss, self.training = network, data, loss, training
        self.journal, self.told = journal, told
        self.source = {name: weights.detach().clone() for name, weights in network.named_parameters()}
        self.notes: list[str] = []
        self.point = journal.read()
        self.curves = [] if self.point is None else [Curve(int(a), int(b), c, d) for a, b, c, d in self.point.curves]
        self.steps = len(_parts(data.train, training.batch))

    def stage(self, number: int, stage: Stage) -> None:
        """Epochs until validation stops getting better; a stage that a checkpoint has left behind is passed over."""
        if self.point is not None and self.point.stage > number:
            return
        optimise = learning(self.network, stage, self.training)
        best = self._begun(number, optimise)
        for epoch in range(best.epoch + 1, self.training.epochs):
            if epoch - 1 - best.best_at >= self.training.patience:
                break
            mean = self._epoch(optimise, number, epoch, best)
            if mean is None:
                break
            found = self._validation()
            self.curves.append(Curve(number, epoch, mean, found))
            if found < best.lowest:
                best = best._replace(lowest=found, best_at=epoch, best=_state(self.network))
            best = best._replace(epoch=epoch, curves=[list(row) for row in self.curves])
            self.journal.write(best, self.network, optimise)
            self.told(epoch + 1, self.training.epochs)
        self.network.load_state_dict(best.best)

    def _begun(self, number: int, optimise: torch.optim.Optimizer) -> Checkpoint:
        """Where this stage stands: at its beginning, or where a killed run left it."""
        if self.point is not None and self.point.stage == number:
            self.journal.restore(self.network, optimise)
            return self.point
        return Checkpoint(number, -1, self._validation(), -1, [list(row) for row in self.curves], _state(self.network))

    def _epoch(self, optimise: torch.optim.Optimizer, number: int, epoch: int, best: Checkpoint) -> float | None:
        """The mean training loss; None where it was not finite, and the stage ends."""
        training, rates = self.training, [group["initial_lr"] for group in optimise.param_groups]
        order = np.random.default_rng([training.seed, number, epoch]).permutation(self.data.train)
        mean = 0.0
        for step, rows in enumerate(_parts(order, training.batch)):
            done = epoch * self.steps + step
            factor = schedule(training.schedule, done / (training.epochs * self.steps))
            for group, rate in zip(optimise.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            torch.manual_seed(int(np.random.default_rng([training.seed, number, epoch, step]).integers(2**62)))
            value = self._step(optimise, rows, (training.seed, number, epoch) if training.augment else None)
            if not math.isfinite(value):
                self._not_finite(best, epoch, step, training.lr * factor)
                return None
            mean += value * len(rows) / len(self.data.train)
        return mean

    def _step(self, optimise: torch.optim.Optimizer, rows: Array, draw: tuple[int, ...] | None) -> float:
        """One step down the gradient of the mean loss of these rows, added up over micro-batches."""
        optimise.zero_grad()
        total, value = float(self.data.weights[rows].sum()), 0.0
        for some in _parts(rows, self.training.micro or len(rows)):
            out = self.network(*self.data.inputs.batch(some, draw))
            each = self.loss.each(out, self.data.targets[some], self.data.kind)
            part = (each * self.data.weights[some]).sum() / total
            torch.autograd.backward(part)
            value += float(part.detach())
        penalty = self.loss.penalty(self.network, self.source)
        if penalty is not None:
            torch.autograd.backward(penalty)
            value += float(penalty.detach())
        moving = [weights for group in optimise.param_groups for weights in group["params"]]
        norm = nn.utils.clip_grad_norm_(moving, self.training.clip or math.inf)
        if math.isfinite(value) and math.isfinite(float(norm)):
            optimise.step()
            return value
        return math.nan

    def _validation(self) -> float:
        rows = self.data.val
        out = logits(self.network, self.data.inputs, rows)
        each = Supervised().each(out, self.data.targets[rows], self.data.kind)
        value = float((each * self.data.weights[rows]).sum() / self.data.weights[rows].sum())
        return value if math.isfinite(value) else math.inf

    def _not_finite(self, best: Checkpoint, epoch: int, step: int, lr: float) -> None:
        where = f"the loss is not finite in epoch {epoch + 1}, step {step + 1}, at learning rate {lr:.2g}"
        if best.best_at < 0:
            raise TrainingError(f"{where}: give a lower one, such as --option lr={self.training.lr / 10:.0e}")
        self.notes.append(f"{where}: the weights of epoch {best.best_at + 1} are kept")


def _parts(rows: Array, most: int) -> list[Array]:
    """As few parts of at most so many rows as it takes, of about the same size."""
    return np.array_split(rows, max(1, -(-len(rows) // most)))


def _state(network: Network) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
