"""What is learnt from: the rows that can be read, each different one once; and the labels that some may have."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.data.losses import require_few_lost
from headstart.errors import DataError
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, glance, through_window
from headstart.listener import Listener
from headstart.tasks.task import Array, Task

__all__ = ["FEWEST", "Material", "labelled_rows", "material_of"]

FEWEST = 8
"""Different rows: of fewer none can be told from the others."""


class Material(NamedTuple):
    """rows     the different rows, in the order in which they were read
    backbone    with the window through which it sees pictures of more than 8 bits
    copies      how many more there were
    """

    rows: FeatureSet
    backbone: Backbone
    copies: int


def material_of(
    task: Task, backbone: Backbone, cache: Cache | None, listener: Listener, *, allow_losses: bool
) -> Material:
    """DataError where too many rows cannot be read, or too few are different."""
    through, task = through_window(backbone, task, (), None, listener)
    feature_set = glance(task, Extraction(cache=cache), listener)
    require_few_lost(feature_set.task, allow=allow_losses, learnt=True)
    texts = feature_set.task.modality.texts(feature_set.task.inputs)
    rows = feature_set.take(np.array([row for row, text in enumerate(texts) if text.strip()])) if texts else feature_set
    first = {key: row for row, key in reversed(list(enumerate(rows.keys)))}
    different = np.array(sorted(first.values()), np.int64)
    copies, noun = len(rows) - len(different), task.modality.noun
    if len(different) < FEWEST:
        others = f"; the other {copies:,} are copies of them" if copies else ""
        raise DataError(
            f"{len(different)} different {noun} are too few to learn from without labels{others}: give at least "
            f"{FEWEST}, better some thousands"
        )
    if copies:
        listener.say(f"  {copies:,} copies of other {noun} are left out")
    return Material(rows.take(different), through or backbone, copies)


def labelled_rows(rows: FeatureSet) -> tuple[Array, Array] | None:
    """Rows whose class is known, and the codes (n,) of these; None where neighbours cannot be scored by them."""
    task: Any = rows.task
    if task.targets is None or not task.kind.exclusive:
        return None
    codes = np.asarray(task.targets)
    labelled = np.flatnonzero(task.kind.known(codes))
    counts = np.bincount(codes[labelled], minlength=1)
    several = labelled[counts[codes[labelled]] > 1]
    return (several, codes[several]) if len(np.unique(codes[several])) > 1 else None
