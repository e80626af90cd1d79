"""About how long the trainings of a comparison take, from a few steps of one that moves all weights."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from headstart.errors import HeadstartError
from headstart.finetuning.gradual import Gradual
from headstart.finetuning.soup import Soup
from headstart.listener import Listener
from headstart.messages import lasting
from headstart.methods.finetune import FineTune
from headstart.methods.method import Data
from headstart.methods.table import row_of
from headstart.study.methods_compared.measuring import Material
from headstart.study.methods_compared.ways import Wish

__all__ = ["foretold"]

_STEPS = 4


def foretold(names: Sequence[str], material: Material, wish: Wish) -> str:
    """Such as: at most 12 min; "" where a step could not be timed, which the trainings themselves will say."""
    each = _seconds_a_step(material, wish)
    if each is None:
        return ""
    steps = sum(_steps_at_most(name, material, wish) for name in names)
    return f"at most {lasting(steps * each)}, by steps of {each:.2g} s through the whole network"


class _Clock:
    """A listener that notes when steps end."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def say(self, line: str) -> None:
        """It says nothing on."""

    def progress(self, stage: str, done: int, total: int) -> None:
        if stage.endswith("steps"):
            self.times.append(time.perf_counter())


def _seconds_a_step(material: Material, wish: Wish) -> float | None:
    """The median of a few steps of full fine-tuning on the rows of the first trial."""
    clock: Listener = (timer := _Clock())
    plan = material.plan._replace(method="fine-tune", options=wish.options_of("fine-tune"))
    extraction = material.how[0]
    data = Data(material.rows.take(material.trials.trials[0].train), material.backbone, (extraction, clock))
    try:
        row_of(plan).fit(plan, data._replace(steps=_STEPS))
    except (HeadstartError, ValueError, RuntimeError) as error:
        material.how[1].say(f"  steps could not be timed: {error}")
        return None
    return float(np.median(np.diff(timer.times))) if len(timer.times) > 1 else None


def _steps_at_most(name: str, material: Material, wish: Wish) -> int:
    """Of all stages in all trials, and again on all rows where there are few."""
    plan = material.plan._replace(method=name, options=wish.options_of(name))
    row = row_of(plan)
    if not isinstance(row, FineTune):
        return 0
    training, tune = row.tuning.training, row.tune
    stages = 1
    if isinstance(tune, Gradual) and material.backbone is not None:
        stages = max(1, min(tune.stages, len(material.backbone.stages)))
    if isinstance(tune, Soup):
        stages = tune.runs
    steps = 0
    for trial in material.trials.trials:
        rows = len(trial.train) if material.source is None else len(trial.train) + len(material.source[1].source)
        again = rows if training.validation and rows <= training.refit else 0
        epoch = round(rows * (1 - training.validation)) + again
        steps += stages * training.epochs * -(-epoch // training.batch)
    return steps
