"""PARC against correlation matrices and Spearman's coefficient of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.preprocessing import StandardScaler

from headstart.automl import parc


def by_correlations(features, labels):
    rows = StandardScaler().fit_transform(features.astype(np.float64))
    one_hot = (labels[:, None] == np.unique(labels)).astype(float)
    pairs = np.tril_indices(len(rows), -1)
    distances = [np.round((1 - np.corrcoef(matrix))[pairs], 10) for matrix in (rows, one_hot)]
    return 100 * spearmanr(*distances)[0]


NAMES = [
    "iris",
    "wine",
    "digits",
    "more columns than rows",
    "not standardised",
    "float32",
    "names",
    "a class of one row",
]


@pytest.mark.parametrize("name", NAMES)
def test_parc_is_a_rank_correlation_of_distances(cases, name):
    assert parc(*cases[name]) == pytest.approx(by_correlations(*cases[name]), abs=1e-4)


def test_its_ends_and_what_it_refuses():
    rows = np.repeat([[1.0, 0, 0], [0, 1, 0]], 5, axis=0)
    assert parc(rows, np.repeat(["a", "b"], 5)) == pytest.approx(100)
    assert parc(np.ones((6, 3)), [0, 1] * 3) == 0
    assert parc(np.eye(3), [0, 1, 2]) == 0
    with pytest.raises(ValueError, match="features have 1 column: PARC correlates rows over the columns"):
        parc(np.arange(6.0)[:, None], [0, 1] * 3)
    with pytest.raises(
        ValueError, match=r"PARC of 30000 rows would take 12\.6 GB, above the limit of 4 GB: score a sample"
    ):
        parc(np.zeros((30000, 2)), np.arange(30000) % 2)
