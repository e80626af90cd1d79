"""The one training loop: stages in turn, the best weights kept, and a killed run that goes on to the same bits.

Everything random is drawn anew from (seed, stage, epoch, step), so that a checkpoint needs no state of a generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from headstart.errors import TrainingError
from headstart.finetuning.stage import Stage, Tune
from headstart.finetuning.states import copied
from headstart.heads.calibrate import calibrate
from headstart.heads.paired import lower
from headstart.losses.penalty import Context
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.tasks.task import Array
from headstart.training.augmentation import Anew, Draw, Views
from headstart.training.batches import Batches
from headstart.training.checkpoint import Checkpoint, Journal
from headstart.training.ema import Average
from headstart.training.feed import Data, Source, source
from headstart.training.optimizers import learning, schedule
from headstart.training.options import Training
from headstart.training.prefetch import ahead
from headstart.training.sampler import parts, rounds
from headstart.training.step import Batch, Features, Step

__all__ = ["SILENT", "Curve", "Telling", "Trained", "logits", "train"]


class Curve(NamedTuple):
    """One epoch: the mean loss of the training rows as they were varied, and that of the validation rows at their best
    temperature."""

    stage: int
    epoch: int
    train: float
    val: float


class Trained(NamedTuple):
    """What a training has to tell: every epoch, how many of them were best in each stage, how many weights learnt,
    the tune with its decisions made, its account of them for the reader, and in words what went wrong on the way."""

    curves: list[Curve]
    lengths: list[int]
    parameters: int
    tune: Tune
    account: Mapping[str, Any]
    notes: list[str]


class Telling(NamedTuple):
    """epoch   called after each with (epochs done in this stage, epochs at most)
    say     called with a line of words
    """

    epoch: Callable[[int, int], None] = lambda done, total: None
    say: Callable[[str], None] = lambda line: None


SILENT = Telling()


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
) -> Trained:
    """Train in place, and keep a journal of it; each stage ends with its best weights by validation, those that it
    began with included, see `Training.margin`.

    lengths   of a training before: each stage lasts so many epochs instead. Without it and without validation rows, a
              stage lasts all its epochs

    `TrainingError` where the loss is not finite before there is a better epoch; after one, its weights are kept.
    """
    run = _Run(network, data, loss, training, journal, telling, lengths)
    before = torch.get_rng_state()
    plan = iter(tune(network, run))
    try:
        for number in count():
            _seed(training.seed, number, 0, 0, 0)
            stage = next(plan, None)
            if stage is None:
                break
            run.stage(number, stage)
    finally:
        torch.set_rng_state(before)
        run.step.penalty.close()
        network.requires_grad_(False).eval()
    return Trained(
        run.curves, run.found, sum(run.learnt.values()), run.settled or tune, run.account, [*run.notes, *run.step.notes]
    )


def logits(network: Features, inputs: Batches, rows: Array, batch: int = 32) -> Tensor:
    """(N, C) of rows as they are in prediction."""
    with torch.no_grad():
        return torch.cat([network(*inputs.batch(some, None)) for some in parts(rows, batch)])


class _Run:
    """One training, from the first stage to the last."""

    def __init__(
        self,
        network: Network,
        data: Data,
        loss: Supervised,
        training: Training,
        journal: Journal,
        telling: Telling,
        lengths: list[int] | None,
    ) -> None:
        self.network, self.data, self.training = network, data, training
        self.journal, self.telling, self.lengths = journal, telling, lengths
        self.fixed = lengths is not None or not self.validates
        if loss.needs == "target" and not len(data.target):
            raise ValueError(f"{type(loss).__name__} compares two tasks: give rows of a target")
        if loss.needs == "teacher" and data.teacher is None:
            raise ValueError(f"{type(loss).__name__} learns from a teacher: give its answers")
        self.step = Step(network, data.kind, loss, loss.start(self._context()), training)
        self.helper = self.step.penalty.helper
        self.all = network if self.helper is None else nn.ModuleList([network, self.helper.module])
        self.fresh = {} if self.helper is None else copied(self.helper.module)
        self.of_target = torch.zeros(len(data.inputs), dtype=torch.bool)
        self.of_target[data.target] = True
        self.notes: list[str] = []
        self.settled: Tune | None = None
        self.account: Mapping[str, Any] = {}
        self.learnt: dict[str, int] = {}
        self.where = ""
        self.point = journal.read()
        self.curves = [] if self.point is None else [Curve(int(a), int(b), c, d) for a, b, c, d in self.point.curves]
        self.found: list[int] = []
        if self.point is not None:
            self.step.micro, self.found = self.point.micro, list(self.point.lengths)

    def _context(self) -> Context:
        return Context(self.network, self.training.seed, self.data.kind, self.data.teacher)

    @property
    def validates(self) -> bool:
        """See `Progress`."""
        return bool(len(self.data.val))

    def validation(self) -> float:
        """See `Progress`."""
        with self.network.asked():
            return _mean(self._losses(self.network, self.data.inputs))

    def settle(self, tune: Tune, account: Mapping[str, Any]) -> None:
        """See `Progress`."""
        self.settled, self.account = tune, account

    def stage(self, number: int, stage: Stage) -> None:
        """Epochs until validation stops getting better; a stage that a checkpoint has left behind is only loaded."""
        optimise = learning(self.network, stage, self.training, self.helper)
        if self.helper is not None:
            self.helper.module.load_state_dict(self.fresh)
        self.learnt |= {name: w.numel() for name, w in self.network.named_parameters() if w.requires_grad}
        if self.point is not None and self.point.stage > number:
            self.network.load_state_dict(self.journal.past(number))
            return
        last = self.training.epochs if self.lengths is None else self.lengths[number]
        if not last:
            self.found.append(0)
            self.journal.ended(number, copied(self.network))
            return
        if self.training.statistics == "source":
            for norm in self.step.norms():
                norm.eval()
        if note := self.step.spare_lone_rows([len(rows) for rows in self._rounds(0, 0)]):
            self._tell(note)
        average = Average(self.network, self.training.ema)
        whole = self.step.loss.needs == "maps"
        with source(self.network, self.data, self.training, last, self._tell, whole=whole) as found:
            self._epochs(number, last, optimise, average, found)

    def _epochs(self, number: int, last: int, optimise: torch.optim.Optimizer, average: Average, found: Source) -> None:
        best = self._begun(number, optimise, average, found)
        finite = True
        for epoch in range(best.epoch + 1, last):
            if epoch - 1 - best.best_at >= self.training.patience and self._worse(best):
                break
            mean = self._epoch(optimise, average, number, epoch, found)
            if mean is None:
                self._not_finite(best, epoch)
                finite = False
                break
            with average.in_place():
                best = best._replace(last=self._validated(found))
                loss = -float(epoch) if self.fixed else _mean(best.last)  # the last is the best
                if loss < best.lowest:
                    best = best._replace(lowest=loss, best_at=epoch, best=copied(self.network), rows=best.last)
            self.curves.append(Curve(number, epoch, mean, loss))
            best = best._replace(epoch=epoch, curves=[list(row) for row in self.curves], micro=self.step.micro)
            self.journal.write(best, self.all, optimise, average)
            self.telling.epoch(epoch + 1, last)
        if finite and not self._worse(best):
            with average.in_place():
                best = best._replace(best_at=best.epoch, best=copied(self.network))
        self.network.load_state_dict(best.best)
        self.found.append(best.best_at + 1)
        self.journal.ended(number, best.best)

    def _worse(self, best: Checkpoint) -> bool:
        """Whether validation shows that the last epoch is worse than the best one, see `Training.margin`."""
        return not self.fixed and lower(best.rows, best.last, self.training.margin)

    def _begun(self, number: int, optimise: torch.optim.Optimizer, average: Average, found: Source) -> Checkpoint:
        """Where this stage stands: at its beginning, or where a killed run left it."""
        if self.point is not None and self.point.stage == number:
            self.journal.restore(self.all, optimise, average)
            return self.point
        curves = [list(row) for row in self.curves]
        rows = self._validated(found)
        lowest = math.inf if self.fixed else _mean(rows)
        now = copied(self.network)
        return Checkpoint(number, -1, lowest, -1, curves, list(self.found), self.step.micro, rows, rows, now)

    def _epoch(
        self, optimise: torch.optim.Optimizer, average: Average, number: int, epoch: int, found: Source
    ) -> float | None:
        """The mean training loss; None where it was not finite, and the stage ends."""
        training, rates = self.training, [group["initial_lr"] for group in optimise.param_groups]
        rows = self._rounds(number, epoch)
        mean, total = 0.0, sum(map(len, rows))
        for step, batch in enumerate(ahead(self._batches(rows, found, self._draw(number, epoch, found)))):
            self.step.done = (epoch * len(rows) + step) / (training.epochs * len(rows))
            factor = schedule(training.schedule, self.step.done)
            for group, rate in zip(optimise.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            rng = _seed(training.seed, number, epoch, step, 1)
            value = self.step(optimise, found.features, batch, rng)
            if not math.isfinite(value):
                self.where = f"in epoch {epoch + 1}, step {step + 1}, at learning rate {training.lr * factor:.2g}"
                return None
            average.update()
            mean += value * len(batch) / total
        return mean

    def _rounds(self, number: int, epoch: int) -> list[Array]:
        data, training = self.data, self.training
        return rounds(data.train, data.target, training.batch, (training.seed, number, epoch))

    def _batches(self, steps: list[Array], found: Source, draw: Draw | None) -> Iterator[Batch]:
        for rows in steps:
            inputs = found.inputs.batch(rows, draw)
            device = inputs[0].device
            target = self.of_target[rows].to(device) if len(self.data.target) else None
            numbers = torch.from_numpy(rows)
            yield Batch(inputs, self.data.targets[rows].to(device), self.data.weights[rows].to(device), target, numbers)

    def _draw(self, number: int, epoch: int, found: Source) -> Draw | None:
        if not self.training.augment:
            return None
        seed = self.training.seed
        return Views(seed, number, epoch, found.views) if found.views else Anew(seed, number, epoch)

    def _validated(self, found: Source) -> list[float]:
        with self.network.asked():
            return self._losses(lambda *inputs: self.network.head(found.features(*inputs)), found.inputs)

    def _losses(self, network: Features, inputs: Batches) -> list[float]:
        """Of the validation rows, each times its weight; their mean is the validation loss.

        At the temperature that suits them best, since the fitted model is calibrated too: a network that learns grows
        too sure of itself long before its answers get worse.
        """
        data, rows = self.data, self.data.val
        if not len(rows):
            return []
        out, targets, weights = logits(network, inputs, rows).cpu(), data.targets[rows], data.weights[rows]
        if data.kind.has_classes and bool(out.isfinite().all()):
            out = out / calibrate(out.double().numpy(), targets.numpy(), data.kind, weights.numpy()).temperature
        found: list[float] = (Supervised().each(out, targets, data.kind) * weights / weights.mean()).tolist()
        return found

    def _tell(self, note: str) -> None:
        self.telling.say(note)
        if note not in self.notes:
            self.notes.append(note)

    def _not_finite(self, best: Checkpoint, epoch: int) -> None:
        found = f"the loss is not finite {self.where}"
        if best.best_at < 0:
            raise TrainingError(f"{found}: give a lower one, such as --option lr={self.training.lr / 10:.0e}")
        self._tell(f"{found}: the weights of epoch {best.best_at + 1} are kept")


def _mean(rows: list[float]) -> float:
    value = float(np.mean(rows)) if rows else math.inf
    return value if math.isfinite(value) else math.inf


def _seed(*parts: int) -> np.random.Generator:
    """Random numbers that depend on these alone: torch's, and the generator that is returned."""
    rng = np.random.default_rng(parts)
    seed = int(rng.integers(2**62))
    torch.default_generator.manual_seed(seed)  # torch.manual_seed formats a traceback each time where no GPU is in use
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
    return rng
