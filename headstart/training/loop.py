"""The one training loop: stages in turn, the best weights kept, and a killed run that goes on to the same bits.

Everything random is drawn anew from (seed, stage, epoch, step), so that a checkpoint needs no state of a generator.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from headstart.finetuning.stage import Tune
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.training.checkpoint import Journal
from headstart.training.feed import Data
from headstart.training.optimizers import schedule, set_rates
from headstart.training.options import Training
from headstart.training.prefetch import ahead
from headstart.training.run import Curve, Lasting, Run, seeded
from headstart.training.telling import SILENT, Telling

__all__ = ["Curve", "Trained", "train"]


class Trained(NamedTuple):
    """What a training has to tell: every epoch, how many of them were best in each stage, how many weights learnt,
    the tune with its decisions made, its account of them for the reader, in words what went wrong on the way, and how
    many steps there were in these epochs."""

    curves: list[Curve]
    lengths: list[int]
    parameters: int
    tune: Tune
    account: Mapping[str, Any]
    notes: list[str]
    steps: int


def train(
    network: Network,
    data: Data,
    tune: Tune,
    loss: Supervised,
    training: Training,
    journal: Journal,
    telling: Telling = SILENT,
    *,
    lengths: list[int] | None = None,
    steps: int | None = None,
) -> Trained:
    """Train in place, and keep a journal of it; each stage ends with its best weights by validation, those that it
    began with included, see `Training.margin`.

    lengths   of a training before: each stage lasts so many epochs instead. Without it and without validation rows, a
              stage lasts all its epochs
    steps     each stage lasts so many instead, the last epoch being cut short, and ends with its last weights

    `TrainingError` where the loss is not finite before there is a better epoch; after one, its weights are kept.
    """
    run = Run(network, data, loss, training, journal, telling, Lasting(lengths, steps))
    rng_state = torch.get_rng_state()
    try:
        for stage in run.stages(tune):
            with run.feed(stage) as feed:
                point, train_loss = run.begin(stage, feed), 0.0
                pace = run.pace(stage, point)
                for epoch in range(point.epoch + 1, stage.epochs):
                    if run.stalled(point):
                        break
                    in_steps, train_loss = run.rows_of_steps(stage.number, epoch), 0.0
                    for number, batch in enumerate(ahead(run.batches(in_steps, feed, stage.number, epoch))):
                        run.step.done = run.share_done(epoch, number)
                        factor = schedule(training.schedule, run.step.done)
                        set_rates(stage.optimizer, factor)
                        rng = seeded(training.seed, stage.number, epoch, number, 1)
                        cost = run.step(stage.optimizer, feed.features, batch, rng)
                        train_loss += cost * len(batch) / sum(map(len, in_steps))
                        if not math.isfinite(cost):
                            break
                        run.stepped(stage)
                        pace.step()
                    if not math.isfinite(train_loss):
                        run.not_finite(point, number, training.lr * factor)
                        break
                    point = run.validated(stage, feed, point, train_loss)
                run.end(stage, point, finite=math.isfinite(train_loss))
    finally:
        torch.set_rng_state(rng_state)
        run.step.penalty.close()
        network.requires_grad_(False).eval()
    learnt, notes = sum(run.parameters.values()), [*run.notes, *run.step.notes]
    return Trained(run.curves, run.lengths, learnt, run.settled or tune, run.account, notes, run.steps_done())
