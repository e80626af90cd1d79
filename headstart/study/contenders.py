"""Whom a model of one task must beat on the same rows: from the majority to the pretrained classifier itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.backbones.classifier import answers, matched
from headstart.data.splits.split import folds
from headstart.evidence.assess import NO_TRANSFER
from headstart.evidence.baselines.no_transfer import majority, no_transfer
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.listener import Listener
from headstart.methods.model import answer
from headstart.methods.plan import Plan
from headstart.methods.probe import counted
from headstart.methods.table import fit_model, method
from headstart.study.comparison import Contender
from headstart.tasks.task import Array

__all__ = ["contenders_of", "direct_answers", "majority_answers", "plain_inputs", "untransferred"]


def contenders_of(
    feature_set: FeatureSet, backbone: Backbone | None, plan: Plan, extraction: Extraction, listener: Listener
) -> Iterator[tuple[str, Contender]]:
    """(name, who) of: majority, no-transfer, direct where the pretrained classifier has a class of the name of each of
    the task's, and random-weights, whose twin a method that moves weights trains itself."""
    yield "majority", lambda fitted, train, test: majority_answers(feature_set, train, test)
    yield NO_TRANSFER, lambda fitted, train, test: untransferred(feature_set.take(train), feature_set.take(test), plan)
    direct = direct_answers(feature_set, backbone, extraction, listener)
    if direct is not None:
        yield "direct", lambda fitted, train, test: direct[test]
    if not method(plan.method).moves_weights and backbone is not None and backbone.random is not None:
        untrained = backbone.random(plan.seed)
        other = replace(
            look(feature_set.task, untrained, extraction, listener, "random weights"), blocks=feature_set.blocks
        )
        yield (
            "random-weights",
            lambda fitted, train, test: answer(fit_model(other.take(train), untrained, plan), other.take(test)),
        )


def majority_answers(feature_set: FeatureSet, train: Array, test: Array) -> Array:
    """What the majority of the training rows answers to each of the others."""
    task = feature_set.task
    return majority(task.kind, np.asarray(task.targets)[train], len(task.classes), len(test))


def untransferred(learnt: FeatureSet, test: FeatureSet, plan: Plan) -> Array:
    """What a sound model that reuses nothing learns from rows, and answers to others."""
    learnt = counted(learnt)
    task = learnt.task
    return no_transfer(
        replace(task, inputs=plain_inputs(learnt)),
        plain_inputs(test),
        folds=folds(task.targets, task.kind, learnt.blocks, learnt.keys, seed=plan.seed),
        class_weight=plan.weights(task.classes),
        seed=plan.seed,
    )


def plain_inputs(feature_set: FeatureSet) -> Any:
    """What a model without transfer looks at: thumbnails of pictures, else the inputs themselves."""
    return feature_set.thumbs if feature_set.task.modality.has_pixels else feature_set.task.inputs


def direct_answers(
    feature_set: FeatureSet, backbone: Backbone | None, extraction: Extraction, listener: Listener
) -> Array | None:
    """What the pretrained classifier says of every row, (N, C); None where it does not know the classes."""
    if backbone is None or backbone.classifier is None or not feature_set.task.kind.exclusive:
        return None
    classifier = backbone.classifier()
    groups = None if classifier is None else matched(classifier.labels, feature_set.task.classes)
    if classifier is None or groups is None:
        return None
    if classifier.head is not None:
        rows = _seen_by(classifier.engine or {}, feature_set, backbone, extraction, listener)
        return answers(classifier.head(np.asarray(rows.values)), groups)
    logits = look(feature_set.task, classifier.backbone, extraction, listener, "pretrained classifier").values
    return answers(np.asarray(logits), groups)


def _seen_by(
    engine: dict[str, Any], feature_set: FeatureSet, backbone: Backbone, extraction: Extraction, listener: Listener
) -> FeatureSet:
    """The same rows as this engine sees them, since a head answers as fitted only on features of its own engine."""
    name, precision = engine.get("name"), engine.get("precision")
    if name is None or (name, precision) == (feature_set.engine.get("name"), feature_set.engine.get("precision")):
        return feature_set
    same_engine = replace(extraction, engine=name, precision=precision or "auto")
    return look(feature_set.task, backbone, same_engine, listener, "pretrained classifier")
