"""LEEP: the log expected empirical prediction of the classes from a source classifier (Nguyen et al., 2020).

P(y, z) = mean_i [y_i = y] p_iz,   P(y | z) = P(y, z) / sum_y P(y, z)        p_i = source probabilities of row i
LEEP    = mean_i log sum_z P(y_i | z) p_iz
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headstart.automl.checks import Classes, class_codes, probabilities_of
from headstart.linalg.blas import one_thread
from headstart.tasks.task import Array

__all__ = ["expected_prediction", "leep"]


def leep(probabilities: npt.ArrayLike, targets: npt.ArrayLike) -> float:
    """In nats, at most 0, of source probabilities (N, S) and class labels (N,). Higher is better.

    ValueError where the rows of probabilities do not sum to 1
    """
    p = probabilities_of(probabilities)
    return expected_prediction(p, class_codes(targets, len(p)))


def expected_prediction(p: Array, classes: Classes) -> float:
    """The same of what is checked already."""
    with one_thread():
        joint = classes.indicators.T @ p
        total = joint.sum(axis=0)
        conditional = joint / np.where(total > 0, total, 1.0)
        return float(np.log(np.einsum("nz,nz->n", conditional[classes.codes], p)).mean())
