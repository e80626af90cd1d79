"""TransRate against determinants of D x D matrices."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.automl import transrate


def rate(rows, e):
    return np.linalg.slogdet(np.eye(rows.shape[1]) + rows.T @ rows / (len(rows) * e))[1] / 2


@pytest.mark.parametrize("distortion", [1e-4, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_transrate_is_a_difference_of_coding_rates(case, distortion, weighted):
    features, labels = np.asarray(case.features, np.float64), case.labels
    features = features - features.mean(axis=0)
    names, counts = np.unique(labels, return_counts=True)
    shares = counts / len(labels) if weighted else np.full(len(names), 1 / len(names))
    rates = [rate(features[labels == name], distortion) for name in names]
    expected = rate(features, distortion) - shares @ rates
    actual = transrate(case.features, labels, distortion=distortion, weighted=weighted)
    assert actual == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_a_distortion_is_above_zero():
    with pytest.raises(ValueError, match="distortion=0: expected a finite number, more than 0"):
        transrate(np.eye(4), [0, 0, 1, 1], distortion=0)
