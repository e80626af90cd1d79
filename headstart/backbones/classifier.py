"""The classes of a task among the labels of a pretrained classifier: by name, and never by guess.

    p(class | x) = sum of p(label | x) over the labels of that name / the same sum over the labels of all classes

with p(label | x) the softmax over all labels: the classifier's own probabilities, given that one of the classes is
right (Deng et al., 2009, name their labels so: one synset, several words).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence

import numpy as np

from headstart.tasks.task import Array

__all__ = ["answers", "matched", "named"]

NAMELESS = re.compile(r"label[ _-]?\d+", re.IGNORECASE)


def matched(labels: Sequence[str], classes: Sequence[Hashable]) -> Array | None:
    """Which class each label stands for: (L,) int64, a position in `classes` or -1 for none of them.

    A label's names are the whole of it and each part between commas ("tabby, tabby cat" has three). A class has a
    label where its name is one of them, upper or lower case, with spaces, hyphens and underscores alike; several
    labels may have the name of one class. Only text is a name: the class 3 is not the label "3".

    None where a class has no label, and where a label has the names of two classes.
    """
    wanted = {_plain(name): code for code, name in enumerate(classes) if isinstance(name, str)}
    groups = np.full(len(labels), -1, np.int64)
    for index, label in enumerate(labels):
        claims = {wanted[name] for name in _names(label) if name in wanted}
        if len(claims) > 1:
            return None
        groups[index] = claims.pop() if claims else -1
    return groups if set(range(len(classes))) == set(groups[groups >= 0].tolist()) else None


def answers(logits: Array, groups: Array) -> Array:
    """The classifier's probabilities (N, C) of the classes, from logits (N, L) of its labels. Rows sum to 1.

    groups   (L,) from `matched`: each class from 0 to C - 1 has a label
    """
    logits = np.asarray(logits, np.float64)
    classes = range(int(groups.max()) + 1)
    from scipy.special import logsumexp, softmax

    return np.asarray(softmax(np.stack([logsumexp(logits[:, groups == code], axis=1) for code in classes], 1), axis=1))


def named(labels: Sequence[object], count: int) -> tuple[str, ...] | None:
    """The labels of `count` logits if they are names; None for another number of them, or "LABEL_0", "LABEL_1" ..."""
    texts = tuple(label for label in labels if isinstance(label, str))
    real = any(texts) and not any(NAMELESS.fullmatch(text) for text in texts)
    return texts if real and len(texts) == len(labels) == count > 1 else None


def _names(label: str) -> set[str]:
    return {_plain(name) for name in (label, *label.split(","))} - {""}


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[-_\s]+", " ", unicodedata.normalize("NFC", name)).casefold().split())
