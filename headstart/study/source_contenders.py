"""Controls of a study with a source, on the same held-out target rows: what nothing carried over would have reached.

no-transfer     a sound model that reuses nothing, on the target's own labelled training rows: neither the source nor a
                pretrained backbone
no-pretraining  where no answer of the target may be learnt from: the same model on the source's rows, for pictures and
                texts: what is then left out is the pretrained backbone. Columns have none, and no such model
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from headstart.adaptation.choice import Chosen
from headstart.adaptation.strategy import Way
from headstart.evidence.assess import NO_PRETRAINING, NO_TRANSFER
from headstart.features.feature_set import Seen, look
from headstart.methods.adaptation import Crossed, Crossing, Tasks
from headstart.methods.table import adapts
from headstart.study.contenders import direct_answers, majority_answers, untransferred
from headstart.study.resampling import Contender, Trials
from headstart.tasks.task import Array

__all__ = ["controls_of", "untold"]

_NO_ANSWER = "a model without the source would learn from answers of the target, and {}"


def controls_of(
    tasks: Tasks, crossing: Crossing, trials: Trials, made: Callable[[], Crossed]
) -> Iterator[tuple[str, Contender]]:
    """(name, who) of: majority, no-transfer or no-pretraining, direct, and random-weights for a way that moves none.

    made   the model that was fitted on the training rows of the trial that is on
    """
    labelled = tasks.target.take(np.arange(tasks.labelled))
    if _learnable(labelled, crossing, trials):
        yield "majority", lambda train, test: majority_answers(labelled, train, test)
        yield NO_TRANSFER, lambda train, test: untransferred(labelled.take(train), labelled.take(test), crossing.plan)
    else:
        source = crossing.source
        yield "majority", lambda train, test: majority_answers(source, np.arange(len(source)), test)
        if crossing.backbone is not None:
            yield NO_PRETRAINING, lambda train, test: untransferred(source, labelled.take(test), crossing.plan)
    said = direct_answers(labelled, crossing.backbone, *crossing.how)
    if said is not None:
        yield "direct", lambda train, test: said[test]
    if crossing.backbone is not None and crossing.backbone.random is not None and not adapts(crossing.plan.method):
        twin = _untrained(tasks, crossing)
        yield "random-weights", lambda train, test: _answers(twin, made(), train, test)


def untold(tasks: Tasks, crossing: Crossing, trials: Trials) -> str:
    """Why there is neither no-transfer nor no-pretraining, in words; "" where there is one of them."""
    labelled = tasks.target.take(np.arange(tasks.labelled))
    if crossing.backbone is not None or _learnable(labelled, crossing, trials):
        return ""
    return _NO_ANSWER.format("too few can be learnt from" if crossing.labels else "none may be learnt from")


def _learnable(labelled: Seen, crossing: Crossing, trials: Trials) -> bool:
    """Whether a model can be learnt from the target's answers alone in every trial, be it one that says the same of
    all: that is all that few rows teach."""
    answers, rows = labelled.task.targets, [trial.train for trial in trials.trials]
    if not crossing.labels or answers is None or not all(len(train) for train in rows):
        return False
    return all(len(np.unique(answers[train])) == 1 or len(np.unique(labelled.blocks[train])) > 1 for train in rows)


def _untrained(tasks: Tasks, crossing: Crossing) -> Crossing:
    """The same two tasks as the backbone sees them with random weights."""
    backbone = crossing.backbone
    if backbone is None or backbone.random is None:
        raise ValueError("a backbone without weights has no twin of random ones")
    other, extraction, listener = backbone.random(crossing.plan.seed), *crossing.how

    def seen(task: Seen) -> Seen:
        return replace(look(task.task, other, extraction, listener, "random weights"), blocks=task.blocks)

    both = Tasks(seen(crossing.source), seen(tasks.target), tasks.labelled)
    return Crossing(both, other, crossing.plan, crossing.how, labels=crossing.labels)


def _answers(twin: Crossing, made: Crossed, train: Array, test: Array) -> Array:
    """Of the same heads on the same rows' answers, without a step between the tasks."""
    way = Way(source=made.of_source, target=made.of_target)
    alike = twin.gone(Chosen(made.chosen.name, way, made.chosen.base), twin.ground(twin.seen(train)))
    return twin.answers(alike, test)
