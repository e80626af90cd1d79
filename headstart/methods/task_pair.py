"""A source and a target task in one study: which of their rows are learnt from, and what a method learns from them."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np

from headstart.adaptation.choice import ChosenStrategy
from headstart.adaptation.domain_pair import DomainPair, SourceSide
from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.data.pair import named
from headstart.errors import DataError
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look_again
from headstart.listener import Listener
from headstart.messages import few
from headstart.methods.adaptation import apply
from headstart.methods.method import Data, Fitted, Method, Source, require_backbone
from headstart.methods.model import model_of
from headstart.methods.plan import Plan
from headstart.methods.probe import features_of
from headstart.methods.table import row_of
from headstart.tasks.goal import Answers
from headstart.tasks.task import Array, Columns

__all__ = ["StrategyFitter", "TaskPair", "refuse_source"]

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


class StrategyFitter:
    """Fits one method after another to a source and some rows of a target.

    copies   source rows that are in the target too, which are left out of the source
    kin      those of groups that the target has too, which are left out as well
    labels   whether answers of target rows may be learnt from
    """

    def __init__(
        self, tasks: TaskPair, backbone: Backbone | None, plan: Plan, how: tuple[Extraction, Listener], *, labels: bool
    ) -> None:
        row = row_of(plan)
        if row.moves_weights:
            require_backbone(row, plan.method, backbone, tasks.target.task.modality)
        copied, kin = _copied(tasks)
        self.copies, self.kin = int(copied.sum()), int((kin & ~copied).sum())
        remaining = np.flatnonzero(~(copied | kin))
        _enough(tasks.source, remaining)
        self.source, self.target, self.bare = tasks.source.take(remaining), tasks.target, tasks.bare
        self.backbone, self.plan, self.how, self.labels = backbone, plan, how, labels
        self.side = SourceSide(self.source, plan.seed, plan.weights(self.source.task.classes))

    def seen(self, rows: Array) -> FeatureSet:
        """Target rows of these numbers, and all those without an answer."""
        return self.target.take(np.concatenate([rows, self.bare]))

    def pair(self, feature_set: FeatureSet) -> DomainPair:
        """The source and these target rows side by side."""
        return self.side.pair(feature_set, feature_set.task.targets if self.labels else None)

    def plan_of(self, name: str) -> Plan:
        """The plan with the method of this name, without options where these are another's."""
        return self.plan if name == self.plan.method else self.plan._replace(method=name, options={})

    def given(self, target: FeatureSet, pair: DomainPair) -> tuple[Data, Source]:
        """What a method learns from: these target rows, and the pair that they are part of."""
        return Data(target, self.backbone, self.how), Source(self.source, pair, self.labels)

    def apply(self, chosen: ChosenStrategy, pair: DomainPair) -> Fitted:
        """What a chosen strategy learns from this pair."""
        return apply(chosen, self.backbone, pair, self.plan.aim(pair.kind, self.source.task.classes))

    def answers(self, fitted: Fitted, rows: Array) -> Answers:
        """To target rows of these numbers: (N, C) probabilities, or (N,) values."""
        feature_set = self.target.take(rows)
        if self.backbone is not None and cast(Backbone, fitted.backbone).fingerprint != self.backbone.fingerprint:
            feature_set = look_again(feature_set, cast(Backbone, fitted.backbone), self.how[0])
        return fitted.head.answer(features_of(feature_set, fitted.encoder))

    def model(self, fitted: Fitted, columns: Columns | None) -> Model:
        """It as a model of the target; `columns` are those of the source, which may name more than the target's."""
        both = named(self.target.task.columns, columns)
        return model_of(fitted, self.plan, self.target, classes=self.source.task.classes, columns=both)


def refuse_source(row: Method, name: str, sample_weight: object) -> None:
    """ValueError where a method has no use for a source, or weights of rows are given beside one."""
    if not row.needs_source:
        raise ValueError(f"method {name!r} draws on no source task: leave source out, or use 'coral' or so")
    if sample_weight is not None:
        raise ValueError("sample_weight has no use with a source, whose methods weigh rows themselves: leave it out")


def _copied(tasks: TaskPair) -> tuple[Array, Array]:
    """(n,) source rows that are in the target too, and those of a group that the target has too."""
    source, target = tasks.source, tasks.target
    keys, groups = set(target.keys), set(_groups(target)) - {None}
    return np.array([key in keys for key in source.keys]), np.array([group in groups for group in _groups(source)])


def _groups(feature_set: FeatureSet) -> list[str | None]:
    group = [None] * len(feature_set) if feature_set.task.group is None else feature_set.task.group.tolist()
    return [None if name is None else str(name) for name in group]


def _enough(source: FeatureSet, remaining: Array) -> None:
    """Raises DataError where the rows that are left of the source teach nothing, or not all of its classes."""
    gone = f"{len(source) - len(remaining)} of {len(source)} source rows are in the target too, or of its groups"
    if len(remaining) < _FEWEST:
        raise DataError(f"{gone}: nothing else to draw on")
    answers = cast(Array, source.task.targets)
    lost = np.setdiff1d(answers, answers[remaining]).tolist() if source.task.kind.exclusive else []
    if lost:
        names = few([source.task.classes[code] for code in lost])
        raise DataError(f"{gone}, and none is left that says {names}: leave such rows out of the target")
