"""Random Fourier features are of length 1, near the Gaussian kernel, and the same in every version of numpy."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from headstart.linalg.random_features import FREQUENCIES, fourier, frequencies

FIRST = [2.916203, -1.28554, -1.390157, 0.646885, -1.090298, 1.567244]


def test_inner_products_are_near_the_kernel():
    x = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    z = fourier(x, frequencies(6, 0.1))
    assert z.shape == (40, 2 * FREQUENCIES)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1, atol=1e-6)
    kernel = np.exp(-0.1 * cdist(x, x, "sqeuclidean"))
    assert np.abs(z @ z.T - kernel).max() < 5 / np.sqrt(FREQUENCIES)
    assert abs((z @ z.T - kernel).mean()) < 1 / np.sqrt(FREQUENCIES)


def test_frequencies_do_not_change():
    """Philox 4x64-10 of key 0 and counter 1, and Box and Muller by hand: a log of today is compared
    with these."""
    w = frequencies(3, 0.5, 2)
    assert w.dtype == np.float32
    np.testing.assert_allclose(w.ravel(), FIRST, rtol=1e-5)
    again = frequencies(3, 2.0, 2)
    np.testing.assert_allclose(again, 2 * w, rtol=1e-6)


def test_frequencies_are_normal():
    w = frequencies(64, 0.5).ravel().astype(np.float64)
    assert abs(w.mean()) < 4 / np.sqrt(len(w))
    assert abs(w.var() - 1) < 4 * np.sqrt(2 / len(w))
    assert abs((w**4).mean() - 3) < 4 * np.sqrt(96 / len(w))
