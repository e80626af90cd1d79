"""Who hears of a training: each epoch and each step of it, and before long what it will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, Self

from headstart.listener import CurveListener, Listener
from headstart.messages import lasting

__all__ = ["SILENT", "Curve", "Pace", "Telling"]

_MEASURED = 3
_WORTH_A_LINE = 10.0


class Curve(NamedTuple):
    """One epoch: the mean loss of the training rows as they were varied, and that of the validation rows at their best
    temperature."""

    stage: int
    epoch: int
    train: float
    val: float


class Telling(NamedTuple):
    """epoch   called after each with (epochs done in this stage, epochs at most)
    say     called with a line of words
    step    called after each with (steps done in this stage, steps at most)
    losses  called after each epoch with (stage, epoch in it, the mean losses "train" and, where there is one, "val")
    """

    epoch: Callable[[int, int], None] = lambda done, total: None
    say: Callable[[str], None] = lambda line: None
    step: Callable[[int, int], None] = lambda done, total: None
    losses: Callable[[int, int, Mapping[str, float]], None] = lambda stage, epoch, losses: None

    @classmethod
    def to(cls, listener: Listener, method: str) -> Self:
        """A listener hears of the training of a method."""
        epoch, step = (partial(listener.progress, f"{method}: {what}") for what in ("epochs", "steps"))
        told = cls(epoch, listener.say, step)
        return told._replace(losses=partial(listener.epoch, method)) if isinstance(listener, CurveListener) else told

    def curve(self, curve: Curve, *, validated: bool) -> None:
        """Tell of the losses of an epoch; the second is one where rows were left for validation."""
        self.losses(curve.stage, curve.epoch, {"train": curve.train} | ({"val": curve.val} if validated else {}))


SILENT = Telling()


class Pace:
    """How long a stage takes at most, told once it has been measured on steps after the first.

    epochs, steps   that the stage has at most, and steps of an epoch
    done            steps that a run before has done
    """

    def __init__(self, telling: Telling, stage: int, epochs: int, steps: int, done: int) -> None:
        self.telling, self.stage, self.epochs, self.steps, self.done = telling, stage, epochs, steps, done
        self.times: list[float] = []

    def step(self) -> None:
        """One more is done."""
        self.done += 1
        total = self.epochs * self.steps
        self.telling.step(self.done, total)
        if len(self.times) > _MEASURED:
            return
        self.times.append(time.perf_counter())
        if len(self.times) <= _MEASURED:
            return
        each = (self.times[-1] - self.times[0]) / _MEASURED
        if (left := each * (total - self.done)) >= _WORTH_A_LINE:
            self.telling.say(
                f"stage {self.stage + 1}: at most {self.epochs:,} epochs of {self.steps:,} steps of {each:.2g} s, "
                f"{lasting(left)} and the validation after each epoch; it ends sooner where that gets no better"
            )
