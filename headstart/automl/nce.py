"""NCE: the negative conditional entropy of the classes given the source's labels (Tran et al., 2019).

NCE = -H(Y | Z) = sum_yz P(y, z) log P(y | z),        z_i = the source's likeliest class of row i
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headstart.automl.checks import class_codes, probabilities_of
from headstart.tasks.task import Array

__all__ = ["nce"]


def nce(source: npt.ArrayLike, targets: npt.ArrayLike) -> float:
    """In nats, at most 0, of what the source says, and class labels (N,). Higher is better.

    source   probabilities (N, S), of which the likeliest class counts, the first of equals; or the labels (N,)
    """
    labels = np.asarray(source)
    labels = probabilities_of(labels).argmax(axis=1) if labels.ndim == 2 else _labels(labels)
    classes = class_codes(targets, len(labels))
    joint = np.zeros((len(classes.counts), labels.max() + 1))
    np.add.at(joint, (classes.codes, labels), 1 / len(labels))
    y, z = np.nonzero(joint)
    return float((joint[y, z] * np.log(joint[y, z] / joint.sum(axis=0)[z])).sum())


def _labels(labels: Array) -> Array:
    """Codes of the source's labels, which may be of one class."""
    if labels.ndim != 1 or not labels.size or labels.dtype.kind not in "iubOUST":
        raise ValueError(
            f"the source's labels have shape {labels.shape} and type {labels.dtype}: expected probabilities (rows, "
            "source classes), or one label a row"
        )
    return np.unique(labels, return_inverse=True)[1]
