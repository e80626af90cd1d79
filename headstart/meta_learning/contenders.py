"""Whom a meta-learner is shown beside on the same episodes: good features as they are, and none that anybody learnt.

simpleshot       the pretrained backbone as it came, nearest mean of centred features of unit length
random-weights   the same on the network that meta-training begins with, its weights drawn
from-scratch     the same on what needs no learning: pixels, colours and edges of thumbnails; words of texts
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

from headstart.backbones.backbone import Backbone
from headstart.backbones.load import default, load
from headstart.data.sound_sketch import described
from headstart.errors import BackboneError
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.listener import Logged
from headstart.preprocessing.descriptors import describe, scale_of
from headstart.preprocessing.numbers import NumberPreprocess
from headstart.tasks import AUDIO, IMAGE, TEXT
from headstart.tasks.task import Array

__all__ = ["FROM_SCRATCH", "JOINT", "RANDOM", "SCRATCH", "SIMPLE", "Contender", "contenders", "is_random"]

SIMPLE, RANDOM, SCRATCH, JOINT = "simpleshot", "random-weights", "from-scratch", "all-tasks"
_WORDS = 4096


class Contender(NamedTuple):
    """Features of all rows (N, D), on which SimpleShot answers; and in words on what, where that is not clear."""

    name: str
    values: Array
    note: str = ""


def contenders(feature_set: FeatureSet, start: Backbone, extraction: Extraction, seed: int) -> Iterator[Contender]:
    """Those of rows that the backbone has seen with which meta-training begins."""
    if not is_random(start):
        yield Contender(SIMPLE, np.asarray(feature_set.values))
        if start.random is not None:
            yield Contender(RANDOM, _through(feature_set, start.random(seed), extraction))
    else:
        yield Contender(RANDOM, np.asarray(feature_set.values))
        if feature_set.task.modality.has_columns:
            yield Contender(SCRATCH, _columns(feature_set))
            return
        name = default(feature_set.task.modality)
        try:
            yield Contender(SIMPLE, _through(feature_set, load(name), extraction), f"simpleshot is on {name}")
        except BackboneError as error:
            yield Contender(SCRATCH, _described(feature_set), f"no simpleshot: {error}")
            return
    if feature_set.task.modality in FROM_SCRATCH:
        yield Contender(SCRATCH, _described(feature_set))


def is_random(backbone: Backbone) -> bool:
    """Whether its weights were drawn."""
    return "weights=random" in backbone.name


def _through(feature_set: FeatureSet, backbone: Backbone, extraction: Extraction) -> Array:
    """The features of the same rows by another backbone, each in its place."""
    return np.asarray(look(feature_set.task, backbone, replace(extraction, thumbs=False), Logged()).values)


def _described(feature_set: FeatureSet) -> Array:
    return FROM_SCRATCH[feature_set.task.modality](feature_set)


def _pictures(feature_set: FeatureSet) -> Array:
    thumbs = np.asarray(feature_set.thumbs)
    described = describe(thumbs)
    return scale_of(described)(described)


def _sounds(feature_set: FeatureSet) -> Array:
    """In units of their spread."""
    x = described(np.asarray(feature_set.thumbs)).astype(np.float64)
    return np.asarray((x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9))


def _columns(feature_set: FeatureSet) -> Array:
    """In units of their spread, gaps at the mean."""
    rows = np.asarray(feature_set.task.inputs, np.float64)
    form = NumberPreprocess.of(rows)
    return np.stack([form.prepare(row)[0] for row in rows])


def _texts(feature_set: FeatureSet) -> Array:
    inputs: Any = feature_set.task.inputs
    words = HashingVectorizer(n_features=_WORDS, alternate_sign=False, dtype=np.float32)
    return np.asarray(words.transform(inputs).toarray())


FROM_SCRATCH: dict[str, Callable[[FeatureSet], Array]] = {IMAGE: _pictures, TEXT: _texts, AUDIO: _sounds}
"""By modality, features (N, D) that nobody had to learn. None: there are none but the inputs themselves."""
