"""Whom a model that drew on a source must beat on the same held-out target rows.

no-transfer     a sound model that reuses nothing, on the target's own labelled training rows: neither the source nor a
                pretrained backbone
no-pretraining  where no answer of the target may be learnt from: the same model on the source's rows, for pictures and
                texts: what is then left out is the pretrained backbone. Columns have none, and no such model
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from headstart.adaptation.choice import ChosenStrategy
from headstart.adaptation.strategies import UNADAPTED
from headstart.adaptation.strategy import Strategy
from headstart.backbones.backbone import Backbone
from headstart.evidence.assess import NO_PRETRAINING, NO_TRANSFER
from headstart.features.feature_set import FeatureSet, look
from headstart.methods.method import Fitted, facts_of
from headstart.methods.table import method
from headstart.methods.task_pair import StrategyFitter, TaskPair
from headstart.study.comparison import Contender
from headstart.study.contenders import answer_cache, direct_answers, majority_answers
from headstart.study.pretrained import RANDOM
from headstart.study.resampling import Trials
from headstart.study.untransferred import Untransferred
from headstart.tasks.goal import Answers
from headstart.tasks.task import Array

__all__ = ["seen_by", "source_contenders", "unadapted_names", "untold"]

_NO_ANSWER = "a model without the source would learn from answers of the target, and {}"


def source_contenders(tasks: TaskPair, fitter: StrategyFitter, trials: Trials) -> Iterator[tuple[str, Contender]]:
    """(name, who) of: majority, no-transfer or no-pretraining, direct, and random-weights for a method that moves
    none."""
    labelled = tasks.target.take(np.arange(tasks.labelled))
    untransferred = Untransferred(fitter.plan, answer_cache(*fitter.how))
    if _learnable(labelled, fitter, trials):
        yield "majority", lambda fitted, train, test: majority_answers(labelled, fitter.plan, train, test)
        yield (
            NO_TRANSFER,
            lambda fitted, train, test: untransferred.answer(labelled.take(train), labelled.take(test)),
        )
    else:
        source = fitter.source
        yield (
            "majority",
            lambda fitted, train, test: majority_answers(source, fitter.plan, np.arange(len(source)), test),
        )
        if fitter.backbone is not None:
            yield NO_PRETRAINING, lambda fitted, train, test: untransferred.answer(source, labelled.take(test))
    direct = direct_answers(labelled, fitter.backbone, *fitter.how)
    if direct is not None:
        yield "direct", lambda fitted, train, test: direct[test]
    if (
        fitter.plan.control
        and fitter.backbone is not None
        and fitter.backbone.random is not None
        and not method(fitter.plan.method).moves_weights
    ):
        twin = seen_by(fitter.backbone.random(fitter.plan.seed), tasks, fitter, "random weights")
        yield RANDOM, lambda fitted, train, test: _answers(twin, fitted, train, test)


def unadapted_names(labelled: FeatureSet, fitter: StrategyFitter, trials: Trials) -> list[str]:
    """Strategies that do not adapt, may be used, and can be fitted in every trial."""
    answers, blocks = labelled.task.targets, labelled.blocks
    rows = [trial.train for trial in trials.trials] if fitter.labels else []
    able = {"source-only"}
    if rows and answers is not None and all(len(train) for train in rows):
        able.add("pooled")
        if all(min(len(np.unique(answers[train])), len(np.unique(blocks[train]))) > 1 for train in rows):
            able.add("target-only")
    return [name for name in UNADAPTED if name in able and name != fitter.plan.method]


def untold(tasks: TaskPair, fitter: StrategyFitter, trials: Trials) -> str:
    """Why there is neither no-transfer nor no-pretraining, in words; "" where there is one of them."""
    labelled = tasks.target.take(np.arange(tasks.labelled))
    if fitter.backbone is not None or _learnable(labelled, fitter, trials):
        return ""
    return _NO_ANSWER.format("too few can be learnt from" if fitter.labels else "none may be learnt from")


def _learnable(labelled: FeatureSet, fitter: StrategyFitter, trials: Trials) -> bool:
    """Whether a model can be learnt from the target's answers alone in every trial, be it one that says the same of
    all: that is all that few rows teach."""
    answers, rows = labelled.task.targets, [trial.train for trial in trials.trials]
    if not fitter.labels or answers is None or not all(len(train) for train in rows):
        return False
    return all(len(np.unique(answers[train])) == 1 or len(np.unique(labelled.blocks[train])) > 1 for train in rows)


def seen_by(backbone: Backbone, tasks: TaskPair, fitter: StrategyFitter, stage: str) -> StrategyFitter:
    """Fits the same methods to the same rows as another backbone sees them."""
    extraction, listener = replace(fitter.how[0], thumbs=False), fitter.how[1]

    def seen(task: FeatureSet) -> FeatureSet:
        looked = look(task.task, backbone, extraction, listener, stage)
        return replace(looked, blocks=task.blocks, thumbs=task.thumbs)

    both = TaskPair(seen(fitter.source), seen(tasks.target), tasks.labelled)
    return StrategyFitter(both, backbone, fitter.plan, fitter.how, labels=fitter.labels)


def _answers(twin: StrategyFitter, fitted: Fitted, train: Array, test: Array) -> Answers:
    """Of the same heads on the same rows' answers, without a step between the tasks."""
    facts = facts_of(fitted)
    strategy = Strategy(source=facts.of_source, target=facts.of_target)
    alike = ChosenStrategy(facts.chosen.name, strategy, facts.chosen.base)
    return twin.answers(twin.apply(alike, twin.pair(twin.seen(train))), test)
