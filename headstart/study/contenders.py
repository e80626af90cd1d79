"""Whom a model of one task must beat on the same rows: from the majority to the pretrained classifier itself.

Their answers are cached by content, beside the features: a second fit of the same rows asks none of them anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from headstart.backbones.backbone import Backbone, PretrainedClassifier
from headstart.backbones.classifier import answers, matched
from headstart.evidence.assess import NO_TRANSFER
from headstart.evidence.baselines.no_transfer import majority
from headstart.features.cache.answers import AnswerCache, Part
from headstart.features.extract import Extraction, make_ready
from headstart.features.feature_set import FeatureSet, look
from headstart.features.quiet import quiet
from headstart.heads.decision import decide
from headstart.listener import Listener
from headstart.methods.answers import answers_of
from headstart.methods.plan import Plan
from headstart.methods.table import fit_model, method
from headstart.study.comparison import Contender
from headstart.study.content import REVISION, content, fitted_by, packed, seen_by, unpacked
from headstart.study.pretrained import RANDOM
from headstart.study.untransferred import Untransferred
from headstart.tasks.goal import Answers, Decided, taken
from headstart.tasks.task import Array

__all__ = ["answer_cache", "contenders_of", "direct_answers", "majority_answers"]


def contenders_of(
    feature_set: FeatureSet,
    backbone: Backbone | None,
    plan: Plan,
    extraction: Extraction,
    listener: Listener,
    untransferred: Untransferred | None = None,
) -> Iterator[tuple[str, Contender]]:
    """(name, who) of: majority, no-transfer, direct where the pretrained classifier has a class of the name of each of
    the task's, and random-weights unless it is left out, whose twin a method that moves weights trains itself."""
    cached = answer_cache(extraction, listener)
    opponent, control = untransferred or Untransferred(plan, cached), None
    if plan.control and not method(plan.method).moves_weights and backbone is not None and backbone.random is not None:
        control = _Untrained(feature_set, backbone, plan, (extraction, listener), cached)

    def not_transferred(fitted: Any, train: Array, test: Array) -> Answers:
        with nullcontext() if control is None else control.getting_ready(train, test):
            return opponent.answer(feature_set.take(train), feature_set.take(test))

    yield "majority", lambda fitted, train, test: majority_answers(feature_set, plan, train, test)
    if plan.method != NO_TRANSFER:
        yield NO_TRANSFER, not_transferred
    direct = direct_answers(feature_set, backbone, extraction, listener)
    if direct is not None:
        costs = plan.aim(feature_set.task.kind, feature_set.task.classes).costs
        decided = direct if costs is None else Decided(direct, decide(direct, -costs))
        yield "direct", lambda fitted, train, test: taken(decided, test)
    if control is not None:
        yield RANDOM, control.contend


def answer_cache(extraction: Extraction, listener: Listener) -> AnswerCache:
    """Where answers are kept: beside the features."""
    return AnswerCache(extraction.cache, listener.say)


def majority_answers(feature_set: FeatureSet, plan: Plan, train: Array, test: Array) -> Answers:
    """What the majority of the training rows answers to each of the others; of costs, the answer that costs least."""
    task = feature_set.task
    constant = majority(task.kind, np.asarray(task.targets)[train], len(task.classes), len(test))
    costs = plan.aim(task.kind, task.classes).costs
    return constant if costs is None else Decided(constant, decide(constant, -costs))


class _Untrained:
    """The same method on the same network from random weights, which sees the rows only where an answer is not held."""

    def __init__(
        self,
        rows: FeatureSet,
        backbone: Backbone,
        plan: Plan,
        how: tuple[Extraction, Listener],
        cached: AnswerCache,
    ) -> None:
        self._rows, self._backbone, self._plan, self._how, self._cached = rows, backbone, plan, how, cached

    def contend(self, fitted: Any, train: Array, test: Array) -> Answers:
        """As a contender of a candidate."""
        parts = self._parts(train, test)
        return unpacked(self._cached.recall_all(RANDOM, REVISION, parts, lambda: packed(self._answer(train, test))))

    @contextmanager
    def getting_ready(self, train: Array, test: Array) -> Iterator[None]:
        """While the block calculates on one thread, the twin's engine is set up on another, if it will be needed.

        What fails there is raised at the end of the block, unless that has failed itself.
        """
        needed = self._rows.features is not None and "_rows_seen" not in self.__dict__
        if not needed or self._cached.entry(RANDOM, REVISION, self._parts(train, test)).read() is not None:
            yield
            return
        twin = self._twin  # here, since weights are drawn from torch's generator, which is one for all threads
        with quiet(), ThreadPoolExecutor(1) as pool:
            ready = pool.submit(make_ready, twin, self._rows.keys, self._extraction)
            yield
        ready.result()

    def _parts(self, train: Array, test: Array) -> tuple[Part, ...]:
        learnt, new = self._rows.take(train), self._rows.take(test)
        return (*fitted_by(self._plan, learnt), *content(new), *seen_by(self._rows, self._backbone, self._how[0]))

    def _answer(self, train: Array, test: Array) -> Answers:
        rows = self._rows_seen
        return answers_of(fit_model(rows.take(train), self._twin, self._plan), rows.take(test))

    @property
    def _extraction(self) -> Extraction:
        return replace(self._how[0], thumbs=False)

    @cached_property
    def _twin(self) -> Backbone:
        random = self._backbone.random
        if random is None:
            raise ValueError(f"{self._backbone.name} has no weights that could be random")
        return random(self._plan.seed)

    @cached_property
    def _rows_seen(self) -> FeatureSet:
        """The rows as the twin sees them."""
        looked = look(self._rows.task, self._twin, self._extraction, self._how[1], "random weights")
        if self._extraction.pixels is not None:
            self._extraction.pixels.clear()
        return replace(looked, blocks=self._rows.blocks, thumbs=self._rows.thumbs)


def direct_answers(
    feature_set: FeatureSet, backbone: Backbone | None, extraction: Extraction, listener: Listener
) -> Array | None:
    """What the pretrained classifier says of every row, (N, C); None where it does not know the classes.

    The labels are looked at first; nothing else is read of a classifier that lacks one, or whose answers are held.
    """
    if backbone is None or backbone.classifier is None or not feature_set.task.kind.exclusive:
        return None
    classifier, labels = backbone.classifier, backbone.classifier.labels()
    groups = None if labels is None else matched(labels, feature_set.task.classes)
    if groups is None or not len(feature_set):
        return None
    parts = (classifier.content(), groups, feature_set.keys, *seen_by(feature_set, backbone, extraction))

    def compute() -> Array:
        asked = _asked(classifier, groups, feature_set, backbone, (extraction, listener))
        return np.empty((0, 0)) if asked is None else asked

    direct = answer_cache(extraction, listener).recall("direct", REVISION, parts, compute)
    return direct if len(direct) else None


def _asked(
    pretrained: PretrainedClassifier,
    groups: Array,
    feature_set: FeatureSet,
    backbone: Backbone,
    how: tuple[Extraction, Listener],
) -> Array | None:
    """The same from the network itself; None where it was never trained."""
    classifier = pretrained()
    if classifier is None:
        return None
    if classifier.head is not None:
        rows = _as_fitted(classifier.engine or {}, feature_set, backbone, how)
        return answers(classifier.head(np.asarray(rows.values)), groups)
    logits = look(feature_set.task, classifier.backbone, *how, "pretrained classifier").values
    return answers(np.asarray(logits), groups)


def _as_fitted(
    engine: dict[str, Any], feature_set: FeatureSet, backbone: Backbone, how: tuple[Extraction, Listener]
) -> FeatureSet:
    """The same rows as this engine sees them, since a head answers as fitted only on features of its own engine."""
    name, precision = engine.get("name"), engine.get("precision")
    if name is None or (name, precision) == (feature_set.engine.get("name"), feature_set.engine.get("precision")):
        return feature_set
    same_engine = replace(how[0], engine=name, precision=precision or "auto")
    return look(feature_set.task, backbone, same_engine, how[1], "pretrained classifier")
