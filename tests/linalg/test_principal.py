"""Two principal components against a whole singular value decomposition."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.linalg.principal import two_components


@pytest.mark.parametrize(("rows", "columns"), [(60, 200), (300, 20), (40, 2), (5, 3)])
def test_they_are_those_of_the_whole_decomposition(rows, columns):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((rows, columns)) * 0.8 ** np.arange(columns) * 3 + 5
    places, share = two_components(values)
    centred = values - values.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    exact = left[:, :2] * sizes[:2]
    turned = exact * np.sign((places * exact).sum(axis=0))
    assert places == pytest.approx(turned, abs=0.02 * sizes[0] / np.sqrt(rows))
    assert share == pytest.approx((sizes[:2] ** 2).sum() / (sizes**2).sum(), abs=1e-3)


def test_rows_that_do_not_vary_are_one_point():
    places, share = two_components(np.ones((4, 3)))
    assert (places == 0).all()
    assert share == 0


def test_one_column_has_one_direction():
    places, share = two_components(np.array([[0.0], [1.0], [4.0]]))
    assert places[:, 1].tolist() == [0, 0, 0]
    assert np.ptp(places[:, 0]) == pytest.approx(4)
    assert share == pytest.approx(1)
