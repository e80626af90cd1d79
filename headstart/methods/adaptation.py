"""From the features of a source and a target task to a fitted model of the target."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np

from headstart.adaptation.choice import ChosenStrategy
from headstart.adaptation.domain_pair import DomainPair, SourceSide
from headstart.adaptation.guard import choose
from headstart.adaptation.learn import Learnt, learn
from headstart.adaptation.strategy import Strategy
from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.data.pair import named
from headstart.errors import DataError
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.heads.head import Head
from headstart.listener import Listener
from headstart.messages import few
from headstart.methods.adaptive_finetune import adapt, answers, needs_weights, unlabelled
from headstart.methods.finetune import Tuned
from headstart.methods.plan import Plan, stored
from headstart.methods.table import adapts, configured_strategy
from headstart.tasks.task import Array, Columns

__all__ = ["AdaptedModel", "StrategyFitter", "TaskPair"]

_FEWEST = 2


class TaskPair(NamedTuple):
    """What the backbone has seen of both.

    target     the first `labelled` of its rows have answers that are known, and all that are tested are among them;
               the others (-1 or NaN) are only there for what two tasks show of each other
    notes      in words, what was left out to bring the two together
    """

    source: FeatureSet
    target: FeatureSet
    labelled: int
    notes: tuple[str, ...] = ()

    @property
    def bare(self) -> Array:
        """Target rows without an answer, by number."""
        return np.arange(self.labelled, len(self.target))


class AdaptedModel(NamedTuple):
    """A model of the target and the strategy that led to it: a head on features that stay, or a backbone that moved."""

    chosen: ChosenStrategy
    head: Head
    on: DomainPair
    learnt: Learnt | None = None
    moved: Tuned | None = None

    @property
    def adapted(self) -> bool:
        """Whether more was done than to learn from some of the rows."""
        return self.moved is not None or self.chosen.strategy.align is not None

    @property
    def of_source(self) -> bool:
        """Whether answers of source rows were learnt from."""
        return self.moved is not None or self.chosen.strategy.source

    @property
    def of_target(self) -> bool:
        """Whether answers of target rows were, of which some may be used."""
        step = {} if self.learnt is None else self.learnt.moved.facts
        return self.moved is not None or self.chosen.strategy.target or "labelled" in step


class StrategyFitter:
    """Fits one strategy after another.

    copies   source rows that are in the target too, which are left out of the source
    kin      those of groups that the target has too, which are left out as well
    labels   whether answers of target rows may be learnt from
    """

    def __init__(
        self, tasks: TaskPair, backbone: Backbone | None, plan: Plan, how: tuple[Extraction, Listener], *, labels: bool
    ) -> None:
        needs_weights(plan.method, backbone, tasks.target.task.modality)
        copied, kin = _copied(tasks)
        self.copies, self.kin = int(copied.sum()), int((kin & ~copied).sum())
        kept = np.flatnonzero(~(copied | kin))
        _enough(tasks.source, kept)
        self.source, self.target, self.bare = tasks.source.take(kept), tasks.target, tasks.bare
        self.backbone, self.plan, self.how, self.labels = backbone, plan, how, labels
        self.origin = SourceSide(self.source, plan.seed, plan.weights(self.source.task.classes))

    def seen(self, rows: Array) -> FeatureSet:
        """Target rows of these numbers, and all those without an answer."""
        return self.target.take(np.concatenate([rows, self.bare]))

    def pair(self, seen: FeatureSet) -> DomainPair:
        """The source and these target rows side by side."""
        return self.origin.pair(seen, seen.task.targets if self.labels else None)

    def fitted(self, name: str, seen: FeatureSet, on: DomainPair) -> AdaptedModel:
        """What the method of this name learns, with these target rows and the pair that they are part of."""
        if adapts(name) and self.backbone is not None:
            moved = adapt(self.source, seen if self.labels else unlabelled(seen), self.backbone, self.plan, self.how)
            return AdaptedModel(ChosenStrategy(name, Strategy()), moved.head, on, moved=moved)
        strategy = cast(
            Strategy, configured_strategy(name, dict(self.plan.options) if name == self.plan.method else {})
        )
        return self.apply(choose(on) if strategy.guarded else ChosenStrategy(name, strategy), on)

    def apply(self, chosen: ChosenStrategy, on: DomainPair) -> AdaptedModel:
        """What a chosen strategy learns from this pair."""
        learnt = learn(on, chosen.strategy, chosen.base)
        return AdaptedModel(chosen, replace(learnt.head, form=on.form), on, learnt)

    def answers(self, made: AdaptedModel, rows: Array) -> Array:
        """Of a model for target rows of these numbers."""
        seen = self.target.take(rows)
        if made.moved is not None and self.backbone is not None:
            return answers(made.moved, seen, self.backbone, self.how[0])
        encoder = made.on.encoder
        return made.head.predict(
            np.asarray(seen.values) if encoder is None else encoder.transform(cast(Any, seen.task.inputs))
        )

    def model(self, kept: AdaptedModel, columns: Columns | None) -> Model:
        """It as a model of the target; `columns` are those of the source, which may name more than the target's."""
        task, name = self.target.task, kept.chosen.name
        return Model(
            modality=task.modality,
            kind=task.kind,
            classes=cast(Any, self.source.task.classes),
            columns=named(task.columns, columns),
            backbone=self.backbone if kept.moved is None else kept.moved.backbone,
            encoder=None if kept.on.encoder is None else kept.on.encoder.state(),
            head=kept.head,
            method=name,
            options={
                "class_weight": stored(self.plan.class_weight),
                "seed": self.plan.seed,
                "method": dict(self.plan.options) if name == self.plan.method else {},
            },
            engine=self.target.engine,
        )


def _copied(tasks: TaskPair) -> tuple[Array, Array]:
    """(n,) source rows that are in the target too, and those of a group that the target has too."""
    source, target = tasks.source, tasks.target
    keys, groups = set(target.keys), set(_groups(target)) - {None}
    return np.array([key in keys for key in source.keys]), np.array([one in groups for one in _groups(source)])


def _groups(seen: FeatureSet) -> list[str | None]:
    group = [None] * len(seen) if seen.task.group is None else seen.task.group.tolist()
    return [None if one is None else str(one) for one in group]


def _enough(source: FeatureSet, kept: Array) -> None:
    """Raises DataError where the rows that are left of the source teach nothing, or not all of its classes."""
    gone = f"{len(source) - len(kept)} of {len(source)} source rows are in the target too, or of its groups"
    if len(kept) < _FEWEST:
        raise DataError(f"{gone}: nothing else to draw on")
    answers = cast(Array, source.task.targets)
    lost = np.setdiff1d(answers, answers[kept]).tolist() if source.task.kind == "classification" else []
    if lost:
        names = few([source.task.classes[code] for code in lost])
        raise DataError(f"{gone}, and none is left that says {names}: leave such rows out of the target")
