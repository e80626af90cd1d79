"""N-LEEP: LEEP whose source classes are the parts of a Gaussian mixture of the features (Li et al., 2021).

    X -> principal axes that hold 80 % of the variance -> mixture of 5 C Gaussians -> P(part | row) -> LEEP

For backbones that have no classifier. The covariances are diagonal in the principal axes, since a part has a few rows
for often a hundred axes; `covariance="full"` is what the published code takes. The mixture starts from k-means by
`seed`, and is a local optimum: a few hundredths of a nat differ from seed to seed.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from headstart.automl.checks import class_codes
from headstart.automl.decomposition import Features, decompose
from headstart.automl.leep import expected_prediction
from headstart.checks import between, one_of, whole
from headstart.linalg.blas import one_thread, one_thread_if_few
from headstart.tasks.task import Array

__all__ = ["n_leep"]

STEPS = 1000
ROWS_A_PART = 2
DIGITS = 9


def n_leep(
    features: Features,
    targets: npt.ArrayLike,
    *,
    parts: int = 5,
    variance: float = 0.8,
    covariance: Literal["diag", "full", "spherical"] = "diag",
    seed: int = 0,
) -> float:
    """In nats, at most 0, of features (N, D) and class labels (N,). Higher is better.

    parts      Gaussians for each class; never more of them than half the rows
    variance   the share of it that the principal axes hold
    """
    whole("parts", parts, 1, "5")
    between("variance", variance, 0, 1)
    one_of("covariance", covariance, ("diag", "full", "spherical"))
    decomposed = decompose(features)
    classes = class_codes(targets, len(decomposed))
    squares = decomposed.squares
    if not squares.size:
        return expected_prediction(np.ones((len(decomposed), 1)), classes)
    axes = 1 + int(np.searchsorted(np.cumsum(squares), variance * squares.sum() * (1 - 1e-12)))
    rows = decomposed.rows[:, : min(axes, len(squares))] / np.sqrt(squares.sum() / len(decomposed))
    count = min(parts * len(classes.counts), max(1, len(rows) // ROWS_A_PART))
    return expected_prediction(_parts(rows, count, covariance, seed), classes)


def _parts(rows: Array, count: int, covariance: str, seed: int) -> Array:
    """(N, parts) the probability of each part of the mixture, of each row."""
    from sklearn.mixture import GaussianMixture

    count = min(count, len(np.unique(rows.round(DIGITS), axis=0)))
    mixture = GaussianMixture(count, covariance_type=covariance, max_iter=STEPS, random_state=seed)
    with one_thread(), one_thread_if_few(0):
        return np.asarray(mixture.fit(rows).predict_proba(rows))
