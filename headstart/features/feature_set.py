"""A feature set: a task whose features a backbone has computed. From here on everything is linear algebra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.data.bit_depth import Window, in_words
from headstart.data.content import content_keys
from headstart.data.splits.groups import blocks
from headstart.features.extraction import Extraction
from headstart.features.features import Features
from headstart.features.window import find_window, settled
from headstart.linalg.forked import settle
from headstart.listener import Listener, Logged
from headstart.tasks.task import Array, SetAside, Task

__all__ = ["FeatureSet", "as_prepared", "glance", "look", "look_again", "noted", "through_window"]


@dataclass(frozen=True)
class FeatureSet:
    """The readable rows of a task and their features.

    keys     (N,) content keys
    values   (N, D) features of pictures and texts, and of tables by a backbone that was pretrained on them; the columns
             of arrays; else None for tables, whose encoding is learnt from training rows only
    thumbs   (N, 32, 32, 3) uint8 for pictures, (N, W) float32 for recordings (`data.sound_sketch`)
    blocks   (N,) rows of one number stay together: duplicates, near duplicates, rows of a group
    window   by which thumbnails were made of pictures of more than 8 bits; None where there were none
    beside   the same rows as further backbones see them, for a model that averages several
    """

    task: Task
    keys: list[bytes]
    blocks: Array
    values: Array | None
    thumbs: Array | None = None
    features: Features | None = None
    window: Window | None = None
    beside: tuple[FeatureSet, ...] = ()

    def __len__(self) -> int:
        return len(self.task)

    @property
    def plain_inputs(self) -> Any:
        """What a model without transfer looks at: thumbs, where there are such, else the inputs themselves."""
        return self.thumbs if self.task.modality.has_thumbs else self.task.inputs

    @property
    def engine(self) -> dict[str, Any]:
        """Who computed the features, as JSON; {} where the columns are the features."""
        return {} if self.features is None or self.features.engine is None else self.features.engine.to_json()

    @property
    def calculated_by(self) -> tuple[Any, ...]:
        """What the values hang on beside the backbone: the engine, its precision and its device; not in what batches
        they were calculated, or whether they were read from the cache."""
        return tuple(self.engine.get(part) for part in ("name", "precision", "device"))

    def take(self, rows: Array) -> FeatureSet:
        """The same with only these rows (integer positions)."""
        features = None if self.features is None else self.features.take(rows)
        return replace(
            self,
            features=features,
            task=self.task.take(rows),
            keys=[self.keys[i] for i in rows],
            blocks=self.blocks[rows],
            values=self._cut("values", rows, features),
            thumbs=self._cut("thumbs", rows, features),
            beside=tuple(other.take(rows) for other in self.beside),
        )

    def _cut(self, name: str, rows: Array, features: Features | None) -> Array | None:
        """An array with only these rows; not copied twice where it is that of `features`, which are cut already."""
        array: Array | None = getattr(self, name)
        if array is None:
            return None
        if features is not None and array is getattr(self.features, name):
            return cast("Array", getattr(features, name))
        return array[rows]


def look(
    task: Task, backbone: Backbone | None, extraction: Extraction, listener: Listener, stage: str = "features"
) -> FeatureSet:
    """Run the backbone once over the task; inputs that cannot be read are set aside, named and counted."""
    settle()
    cells = task.modality.cells(task.inputs) if task.modality.has_names else None
    if task.modality.has_columns and (backbone is None or backbone.module is None or cells is not None):
        keys = content_keys(task.inputs, task.modality)
        values = task.modality.columns(task.inputs)
        if backbone is not None and backbone.module is not None and cells is not None:
            from headstart.backbones.columns import embedded

            values = embedded(cells, backbone)
        return FeatureSet(task, keys, blocks(len(task), keys, None, task.group), values)
    if backbone is None:
        raise ValueError(f"{task.modality} inputs need a backbone: name one")
    from headstart.features.extract import extract

    features = extract(cast("list[Any]", task.inputs), backbone, extraction, partial(listener.progress, stage))
    return _of_features(task, features, getattr(backbone.preprocess, "window", None))


def through_window(
    backbone: Backbone | None, task: Task, beside: Sequence[Task], window: Window | None, listener: Listener
) -> tuple[Backbone | None, Task]:
    """The backbone with the window for pictures of more than 8 bits in these tasks (not those of given test rows), and
    the task with a note of it, or of what else is done to its inputs."""
    if backbone is None:
        return None, task
    if not task.modality.has_pixels:
        return backbone, as_prepared(backbone, task, listener)
    inputs = [item for some in (task, *beside) for item in some.take(_not_test(some)).inputs]
    backbone, note = settled(backbone, inputs, window)
    return backbone, noted(task, note, listener)


def as_prepared(backbone: Backbone | None, task: Task, listener: Listener) -> Task:
    """The task with a note of what the preprocessing of a backbone does to its inputs, where it does."""
    if backbone is None or backbone.preprocess is None:
        return task
    return noted(task, backbone.preprocess.note(cast("list[Any]", task.inputs)), listener)


def noted(task: Task, note: str, listener: Listener) -> Task:
    """The task with a note more, which is said; unchanged where there is none."""
    if not note:
        return task
    listener.say(f"  {note}")
    return replace(task, notes=(*task.notes, note))


def _not_test(task: Task) -> Array:
    return np.arange(len(task)) if task.split is None else np.flatnonzero(np.asarray(task.split) != "test")


def look_again(feature_set: FeatureSet, backbone: Backbone, extraction: Extraction) -> FeatureSet:
    """The same rows through a backbone that has moved since, by the same engine; nothing is kept of it."""
    if not feature_set.engine:
        return replace(look(feature_set.task, backbone, extraction, Logged()), blocks=feature_set.blocks)
    engine, precision = feature_set.engine["name"], feature_set.engine["precision"]
    same = replace(extraction, engine=engine, precision=precision, cache=None, thumbs=False)
    return look(feature_set.task, backbone, same, Logged())


def glance(
    task: Task, extraction: Extraction, listener: Listener, *, window: Window | None = None, learns: bool = False
) -> FeatureSet:
    """The same without a backbone: what a check, and a model without transfer, need to know of each input.

    window   of a fitted model, or asked for; None: that of the data, of which test rows are left out where a model
             `learns` from them
    """
    settle()
    if not task.modality.has_thumbs:
        readable = _readable(task)
        keys = content_keys(readable.inputs, task.modality)
        return FeatureSet(readable, keys, blocks(len(readable), keys, None, readable.group), None)
    from headstart.features.extract import sketches, thumbnails

    inputs = cast("list[Any]", task.inputs)
    if not task.modality.has_pixels:
        return _of_features(task, sketches(inputs, extraction, partial(listener.progress, task.modality.noun)), None)
    if window is None:
        window = find_window([inputs[row] for row in _not_test(task)] if learns else inputs)
        task = noted(task, "" if window is None else f"pictures of more than 8 bits: {in_words(window)}", listener)
    features = thumbnails(inputs, extraction, partial(listener.progress, "pictures"), window=window)
    return _of_features(task, features, window)


def _readable(task: Task) -> Task:
    """Without what is no input of its modality, which is set aside; a table is read whole."""
    if task.modality.has_columns:
        return task
    why = {row: reason for row, item in enumerate(task.inputs) if (reason := task.modality.obstacle(item))}
    if not why:
        return task
    places = task.positions
    failed = tuple(SetAside(task.names[row], reason, int(places[row])) for row, reason in why.items())
    rows = [row for row in range(len(task)) if row not in why]
    return replace(task.take(rows), set_aside=task.set_aside + failed)


def _of_features(task: Task, features: Features, window: Window | None) -> FeatureSet:
    places = task.positions
    failed = tuple(SetAside(task.names[row], why, int(places[row])) for row, why in features.failed)
    readable = replace(task.take(features.rows), set_aside=task.set_aside + failed)
    together = blocks(len(readable), features.keys, None, readable.group)
    return FeatureSet(readable, features.keys, together, features.values, features.thumbs, features, window)
