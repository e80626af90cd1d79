"""The outer loop: steps down the outer loss of episodes, the best weights kept, and a killed run that goes on.

It has the optimisers, the schedule and the journal of a training, and loop and step of its own: a step is not one batch
through the network with a loss a row, but whole episodes, whose gradient a learner may make itself.

Everything is drawn anew from (seed, epoch, step), so that a checkpoint needs no state of a generator. The network stays
in eval mode: what a row is answered may not depend, by statistics of a batch, on the other rows of its episode.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import nn

from headstart.errors import TrainingError
from headstart.finetuning.stage import Stage
from headstart.finetuning.states import copied
from headstart.meta_learning.learner import Batch, Learner
from headstart.meta_learning.options import MetaTraining
from headstart.network import Network
from headstart.training.checkpoint import Checkpoint, Journal
from headstart.training.ema import Average
from headstart.training.optimizers import learning, schedule, set_rates
from headstart.training.run import seeded
from headstart.training.step import Features
from headstart.training.telling import SILENT, Telling

__all__ = ["MetaTrained", "Source", "meta_train", "opened"]


class Source(Protocol):
    """Where episodes come from.

    features    from the inputs of a batch to features, while the network learns
    batches     the episodes of a step
    validated   what the network, as it stands, loses in each validation episode; none where there is no validation
    """

    @property
    def features(self) -> Features: ...

    def batches(self, epoch: int, number: int) -> Sequence[Batch]: ...

    def validated(self, network: Network, learner: Learner) -> list[float]: ...


class MetaTrained(NamedTuple):
    """curves   rows of (epoch from 0, outer loss, validation loss); the first, of epoch -1, is that of the start
    best        the epoch whose weights are kept, -1: those of the start
    parameters  how many weights learnt
    """

    curves: list[tuple[int, float, float]]
    best: int
    parameters: int
    notes: tuple[str, ...]


def meta_train(
    network: Network,
    source: Source,
    learner: Learner,
    options: MetaTraining,
    journal: Journal,
    telling: Telling = SILENT,
) -> MetaTrained:
    """Meta-train in place; ends with the best weights by validation, those at the start included, or without validation
    with the last. `TrainingError` where the loss is not finite before there is a better epoch."""
    training = options.training
    optimizer = learning(network, opened(network, learner, options), training)
    network.eval()
    average, parameters = Average(network, 0.0), [weight for weight in network.parameters() if weight.requires_grad]
    notes: list[str] = []
    rng_state = torch.get_rng_state()
    try:
        point = _begun(network, source, learner, journal, optimizer, average)
        fixed = not point.rows
        for epoch in range(point.epoch + 1, options.epochs):
            if not fixed and point.epoch - point.best_at >= options.patience:
                break
            losses = []
            for number in range(options.steps):
                seeded(options.seed, epoch, number)
                done = (epoch * options.steps + number) / (options.epochs * options.steps)
                set_rates(optimizer, schedule(options.schedule, done))
                optimizer.zero_grad()
                losses.append(learner.add_gradients(network, source.features, source.batches(epoch, number)))
                if not math.isfinite(losses[-1]) or not _clipped(parameters, options.clip):
                    losses[-1] = math.nan
                    break
                optimizer.step()
            if not math.isfinite(losses[-1]):
                notes.append(_not_finite(point, epoch, training.lr))
                break
            point = _after(network, source, learner, point, float(np.mean(losses)))
            journal.write(point, network, optimizer, average)
            telling.epoch(epoch + 1, options.epochs)
        network.load_state_dict(point.best)
    finally:
        torch.set_rng_state(rng_state)
        network.requires_grad_(False).eval()
    curves = [(int(row[1]), row[2], row[3]) for row in point.curves]
    return MetaTrained(curves, point.best_at, sum(weight.numel() for weight in parameters), (*notes, *journal.notes))


def opened(network: Network, learner: Learner, options: MetaTraining) -> Stage:
    """What learns."""
    whole = learner.moves or not options.stages
    train = network.stages if whole else network.top(min(options.stages, len(network.stages) - 1))
    return Stage(train=train, decay=options.decay, head_lr=learner.head_lr)


def _begun(
    network: Network,
    source: Source,
    learner: Learner,
    journal: Journal,
    optimizer: torch.optim.Optimizer,
    average: Average,
) -> Checkpoint:
    """Where the training stands: at its beginning, or where a killed run left it."""
    resumed = journal.read()
    if resumed is not None:
        journal.restore(network, optimizer, average)
        return resumed
    losses = source.validated(network, learner)
    lowest = float(np.mean(losses)) if losses else math.inf
    curves = [[0.0, -1.0, math.nan, lowest if losses else math.nan]]
    return Checkpoint(0, -1, lowest, -1, curves, [], 0, losses, losses, copied(network))


def _after(network: Network, source: Source, learner: Learner, point: Checkpoint, outer_loss: float) -> Checkpoint:
    """The checkpoint after one more epoch."""
    losses, epoch = source.validated(network, learner), point.epoch + 1
    loss = float(np.mean(losses)) if losses else math.nan
    point = point._replace(epoch=epoch, curves=[*point.curves, [0.0, float(epoch), outer_loss, loss]], last=losses)
    if not losses or loss < point.lowest:
        lowest = loss if losses else point.lowest
        point = point._replace(lowest=lowest, best_at=epoch, rows=losses, best=copied(network))
    return point


def _clipped(parameters: Sequence[nn.Parameter], limit: float) -> bool:
    """Whether the gradient is finite."""
    return math.isfinite(float(nn.utils.clip_grad_norm_(parameters, limit or math.inf)))


def _not_finite(point: Checkpoint, epoch: int, lr: float) -> str:
    words = f"the outer loss was not finite in epoch {epoch + 1} at a learning rate of {lr:g}"
    if point.best_at < 0:
        raise TrainingError(f"{words}: give a smaller one, or smaller steps in an episode (--option inner_lr=...)")
    return f"{words}: the weights of epoch {point.best_at + 1} are kept"
