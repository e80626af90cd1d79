"""A run: where one training stands, and what its loop asks before, between and after the steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from headstart.errors import TrainingError
from headstart.finetuning.stage import Stage, Tune
from headstart.finetuning.states import copied
from headstart.heads.paired import lower
from headstart.losses.penalty import Context
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.tasks.task import Array
from headstart.training.augmentation import Anew, Draw, Views
from headstart.training.batches import moved
from headstart.training.checkpoint import Checkpoint, Journal
from headstart.training.ema import Average
from headstart.training.feed import Data, Feed, open_feed
from headstart.training.optimizers import learning
from headstart.training.options import Training
from headstart.training.sampler import rounds
from headstart.training.step import Batch, Step
from headstart.training.telling import Curve, Pace, Telling
from headstart.training.validation import mean_loss, validation_losses

__all__ = ["Lasting", "OpenStage", "Run", "seeded"]


class Lasting(NamedTuple):
    """How long stages last, where that is known before: each so many epochs, or each so many steps."""

    epochs: list[int] | None = None
    steps: int | None = None


class OpenStage(NamedTuple):
    """A stage whose weights are open: its number, how many epochs it lasts at most, and what moves and averages its
    weights."""

    number: int
    epochs: int
    optimizer: torch.optim.Optimizer
    average: Average


class Run:
    """One training, from the first stage to the last; the `Progress` that its tune asks.

    lengths   of each stage in epochs, and `curves` of every epoch; `settled` is the tune with its decisions made
    """

    def __init__(
        self,
        network: Network,
        data: Data,
        loss: Supervised,
        training: Training,
        journal: Journal,
        telling: Telling,
        lasting: Lasting,
    ) -> None:
        self.network, self.data, self.training = network, data, training
        self.journal, self.telling, self.lasting = journal, telling, lasting
        self.fixed = lasting != Lasting() or not self.validates
        self.epoch_steps = len(rounds(data.train, data.target, training.batch, (training.seed, 0, 0)))
        if loss.needs == "target" and not len(data.target):
            raise ValueError(f"{type(loss).__name__} compares two tasks: give rows of a target")
        if loss.needs == "teacher" and data.teacher is None:
            raise ValueError(f"{type(loss).__name__} learns from a teacher: give its answers")
        teacher = (data.teacher, data.teacher_features, data.teacher_maps)
        context = Context(network, training.seed, data.kind, *teacher)
        self.step = Step(network, data.kind, loss, loss.start(context), training)
        self.helper = self.step.penalty.helper
        self.all = network if self.helper is None else nn.ModuleList([network, self.helper.module])
        self.fresh = {} if self.helper is None else copied(self.helper.module)
        self.of_target = torch.zeros(len(data.inputs), dtype=torch.bool)
        self.of_target[data.target] = True
        self.notes: list[str] = []
        self.settled: Tune | None = None
        self.account: Mapping[str, Any] = {}
        self.parameters: dict[str, int] = {}
        self.resumed = journal.read()
        self.curves: list[Curve] = []
        self.lengths: list[int] = []
        if self.resumed is not None:
            self.curves = [Curve(int(a), int(b), c, d) for a, b, c, d in self.resumed.curves]
            self.step.micro, self.lengths = self.resumed.micro, list(self.resumed.lengths)
            for curve in self.curves:
                telling.curve(curve, validated=not self.fixed)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    @property
    def validates(self) -> bool:
        """See `Progress`."""
        return bool(len(self.data.val))

    def validation(self) -> float:
        """See `Progress`."""
        with self.network.asked():
            return mean_loss(validation_losses(self.network, self.data.inputs, self.data))

    def settle(self, tune: Tune, account: Mapping[str, Any]) -> None:
        """See `Progress`."""
        self.settled, self.account = tune, account

    def stages(self, tune: Tune) -> Iterator[OpenStage]:
        """Those that are to be trained, each opened."""
        plan = iter(tune(self.network, self))
        for number in count():
            seeded(self.training.seed, number, 0, 0, 0)
            stage = next(plan, None)
            if stage is None:
                return
            opened = self._opened(number, stage)
            if opened is not None:
                yield opened

    def _opened(self, number: int, stage: Stage) -> OpenStage | None:
        """None where there is nothing to train: a checkpoint has left the stage behind, or it lasts no epoch."""
        optimizer = learning(self.network, stage, self.training, self.helper)
        if self.helper is not None:
            self.helper.module.load_state_dict(self.fresh)
        self.parameters |= {name: w.numel() for name, w in self.network.named_parameters() if w.requires_grad}
        if self.resumed is not None and self.resumed.stage > number:
            self.network.load_state_dict(self.journal.past(number))
            return None
        epochs = self._epochs(number)
        if not epochs:
            self.lengths.append(0)
            self.journal.ended(number, copied(self.network))
            return None
        if self.training.statistics == "source":
            for norm in self.step.norms():
                norm.eval()
        if note := self.step.spare_lone_rows([len(rows) for rows in self.rows_of_steps(0, 0)]):
            self.tell(note)
        return OpenStage(number, epochs, optimizer, Average(self.network, self.training.ema))

    def _epochs(self, number: int) -> int:
        """How many a stage lasts at most; the last of a number of steps may be cut short."""
        if self.lasting.steps is not None:
            return -(-self.lasting.steps // self.epoch_steps)
        return self.training.epochs if self.lasting.epochs is None else self.lasting.epochs[number]

    def feed(self, stage: OpenStage) -> AbstractContextManager[Feed]:
        """What the stage learns from, while it is open."""
        loss = self.step.loss
        whole = loss.needs in ("maps", "views") or (loss.needs == "teacher" and loss.learns_from == "maps")
        return open_feed(self.network, self.data, self.training, stage.epochs, self.tell, whole=whole)

    def begin(self, stage: OpenStage, feed: Feed) -> Checkpoint:
        """Where this stage stands: at its beginning, or where a killed run left it."""
        if self.resumed is not None and self.resumed.stage == stage.number:
            self.journal.restore(self.all, stage.optimizer, stage.average)
            return self.resumed
        curves = [list(row) for row in self.curves]
        losses = self._validated(feed)
        lowest = math.inf if self.fixed else mean_loss(losses)
        weights = copied(self.network)
        micro = self.step.micro
        return Checkpoint(stage.number, -1, lowest, -1, curves, list(self.lengths), micro, losses, losses, weights)

    def pace(self, stage: OpenStage, point: Checkpoint) -> Pace:
        """What is told of the steps of a stage from here on."""
        steps = len(self.rows_of_steps(stage.number, point.epoch + 1))
        return Pace(self.telling, stage.number, stage.epochs, steps, (point.epoch + 1) * steps)

    def stalled(self, point: Checkpoint) -> bool:
        """Whether validation has stopped getting better, see `Training.patience`."""
        return point.epoch - point.best_at >= self.training.patience and self._worse(point)

    def rows_of_steps(self, stage: int, epoch: int) -> list[Array]:
        """The numbers of the rows of each step."""
        data, training = self.data, self.training
        in_steps = rounds(data.train, data.target, training.batch, (training.seed, stage, epoch))
        return in_steps[: self._steps_of(epoch)]

    def share_done(self, epoch: int, number: int) -> float:
        """How much of the steps that a stage may have lies before this one."""
        at_most = self.lasting.steps or self.training.epochs * self.epoch_steps
        return (epoch * self.epoch_steps + number) / at_most

    def steps_done(self) -> int:
        """How many there were in all epochs."""
        return sum(self._steps_of(curve.epoch) for curve in self.curves)

    def _steps_of(self, epoch: int) -> int:
        """How many an epoch of a stage has."""
        left = math.inf if self.lasting.steps is None else self.lasting.steps - epoch * self.epoch_steps
        return int(min(self.epoch_steps, left))

    def batches(self, steps: list[Array], feed: Feed, stage: int, epoch: int) -> Iterator[Batch]:
        """These rows, step by step, as they are varied in this epoch."""
        draw = self._draw(stage, epoch, feed)
        for rows in steps:
            inputs = feed.inputs.batch(rows, draw)
            device = inputs[0].device
            target = moved(self.of_target[rows], device) if len(self.data.target) else None
            numbers = torch.from_numpy(self._numbers(rows, draw))
            targets, weights = moved(self.data.targets[rows], device), moved(self.data.weights[rows], device)
            yield Batch(inputs, targets, weights, target, numbers)

    def stepped(self, stage: OpenStage) -> None:
        """What follows the weights does so, once they have moved."""
        stage.average.update()
        if self.helper is not None and self.helper.stepped is not None:
            self.helper.stepped()

    def validated(self, stage: OpenStage, feed: Feed, point: Checkpoint, train_loss: float) -> Checkpoint:
        """The checkpoint after one more epoch, which is in the journal."""
        epoch = point.epoch + 1
        if self.helper is not None and self.helper.epoch is not None:
            with self.network.asked():
                self.helper.epoch(epoch)
        with stage.average.in_place():
            losses = self._validated(feed)
            point = point._replace(last=losses)
            loss = -float(epoch) if self.fixed else mean_loss(losses)  # the last is the best
            if loss < point.lowest:
                point = point._replace(lowest=loss, best_at=epoch, best=copied(self.network), rows=losses)
        self.curves.append(Curve(stage.number, epoch, train_loss, loss))
        point = point._replace(epoch=epoch, curves=[list(row) for row in self.curves], micro=self.step.micro)
        self.journal.write(point, self.all, stage.optimizer, stage.average)
        self.telling.curve(self.curves[-1], validated=not self.fixed)
        self.telling.epoch(epoch + 1, stage.epochs)
        return point

    def not_finite(self, point: Checkpoint, step: int, rate: float) -> None:
        """TrainingError where no better epoch came before; else a note."""
        where = f"in epoch {point.epoch + 2}, step {step + 1}, at learning rate {rate:.2g}"
        words = f"the loss is not finite {where}"
        if point.best_at < 0:
            raise TrainingError(f"{words}: give a lower one, such as --option lr={self.training.lr / 10:.0e}")
        self.tell(f"{words}: the weights of epoch {point.best_at + 1} are kept")

    def end(self, stage: OpenStage, point: Checkpoint, *, finite: bool) -> None:
        """The network has the weights that the stage ends with: the last ones, unless validation shows them to be worse
        than the best, or they are not finite."""
        if finite and not self._worse(point):
            with stage.average.in_place():
                point = point._replace(best_at=point.epoch, best=copied(self.network))
        self.network.load_state_dict(point.best)
        self.lengths.append(point.best_at + 1)
        self.journal.ended(stage.number, point.best)

    def _worse(self, point: Checkpoint) -> bool:
        """Whether validation shows that the last epoch is worse than the best one, see `Training.margin`."""
        return not self.fixed and lower(point.rows, point.last, self.training.margin)

    def _draw(self, stage: int, epoch: int, feed: Feed) -> Draw | None:
        if not self.training.augment:
            return None
        seed, views = self.training.seed, feed.views or self.data.teacher_views
        return Views(seed, stage, epoch, views) if views else Anew(seed, stage, epoch)

    def _numbers(self, rows: Array, draw: Draw | None) -> Array:
        """Of rows in the form that is drawn of each, as the arrays of a teacher are ordered."""
        if not (self.data.teacher_views and isinstance(draw, Views)):
            return rows
        return np.asarray(rows + len(self.data.inputs) * np.array([draw.number(row) for row in rows]))

    def _validated(self, feed: Feed) -> list[float]:
        with self.network.asked():
            return validation_losses(lambda *inputs: self.network.head(feed.features(*inputs)), feed.inputs, self.data)

    def tell(self, note: str) -> None:
        """Say it, and keep it as a note, once."""
        self.telling.say(note)
        if note not in self.notes:
            self.notes.append(note)


def seeded(*parts: int) -> np.random.Generator:
    """Random numbers that depend on these alone: torch's, and the generator that is returned."""
    rng = np.random.default_rng(parts)
    seed = int(rng.integers(2**62))
    torch.default_generator.manual_seed(seed)  # torch.manual_seed formats a traceback each time where no GPU is in use
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
    return rng
