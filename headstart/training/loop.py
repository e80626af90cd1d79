"""The one training loop: stages in turn, the best weights kept, and a killed run that goes on to the same bits.

Everything random is drawn anew from (seed, stage, epoch, step), so that a checkpoint needs no state of a generator.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any, NamedTuple, SupportsFloat

from headstart.errors import TrainingError
from headstart.features.engines.device_errors import device_errors
from headstart.finetuning.stage import Tune
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.training.checkpoint import Journal
from headstart.training.deterministic import deterministic
from headstart.training.feed import Data, Feed
from headstart.training.optimizers import schedule, set_rates
from headstart.training.options import Training
from headstart.training.prefetch import ahead
from headstart.training.random_state import RandomState
from headstart.training.run import Lasting, OpenStage, Run, seeded
from headstart.training.telling import SILENT, Curve, Pace, Telling

__all__ = ["Curve", "Trained", "train"]


class Taken(NamedTuple):
    """A step that was taken: its number in the epoch, the learning rate, how many rows it had, and its loss."""

    number: int
    rate: float
    rows: int
    cost: SupportsFloat


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

    `TrainingError` where the loss is not finite before there is a better epoch, or a GPU fails; after one, its weights
    are kept.
    """
    run = Run(network, data, loss, training, journal, telling, Lasting(lengths, steps))
    state = RandomState.now()
    try:
        with (
            device_errors(str(run.device), TrainingError, journal.words),
            deterministic(run.device, run.tell) if training.deterministic else nullcontext(),
        ):
            for stage in run.stages(tune):
                with run.feed(stage) as feed:
                    point, train_loss = run.begin(stage, feed), 0.0
                    pace = run.pace(stage, point)
                    for epoch in range(point.epoch + 1, stage.epochs):
                        if run.stalled(point):
                            break
                        rows, train_loss = sum(map(len, run.rows_of_steps(stage.number, epoch))), 0.0
                        for taken in _steps(run, stage, feed, pace, epoch):
                            train_loss += float(taken.cost) * taken.rows / rows
                            if not math.isfinite(train_loss):
                                break
                        if not math.isfinite(train_loss):
                            run.not_finite(point, taken.number, taken.rate)
                            break
                        point = run.validated(stage, feed, point, train_loss)
                    run.end(stage, point, finite=math.isfinite(train_loss))
    finally:
        state.put_back()
        run.step.penalty.close()
        network.requires_grad_(False).eval()
    learnt, notes = sum(run.parameters.values()), [*run.notes, *run.step.notes]
    return Trained(run.curves, run.lengths, learnt, run.settled or tune, run.account, notes, run.steps_done())


def _steps(run: Run, stage: OpenStage, feed: Feed, pace: Pace, epoch: int) -> Iterator[Taken]:
    """Those of an epoch. What follows a step happens when the next is asked for, and so not after one that is known to
    be not finite. On a GPU each is given when the next is under way, so that it need not be waited for."""
    training, steps = run.training, run.rows_of_steps(stage.number, epoch)
    waiting: deque[Taken] = deque()
    late = 0 if run.device.type == "cpu" else 1
    for number, batch in enumerate(ahead(run.batches(steps, feed, stage.number, epoch), run.device)):
        run.step.done = run.share_done(epoch, number)
        factor = schedule(training.schedule, run.step.done)
        set_rates(stage.optimizer, factor)
        rng = seeded(training.seed, stage.number, epoch, number, 1)
        cost = run.step(stage.optimizer, feed.features, batch, rng)
        waiting.append(Taken(number, training.lr * factor, len(batch), cost))
        if len(waiting) > late:
            yield waiting.popleft()
        run.stepped(stage)
        pace.step()
    yield from waiting
