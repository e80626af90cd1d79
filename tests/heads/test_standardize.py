"""Standardisation against numpy, where numbers are kind and where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.heads.standardize import refuse_bad, standard


@pytest.mark.parametrize("n", [2, 1024, 2500])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_it_equals_numpy(n, offset):
    rng = np.random.default_rng(0)
    features, weights = offset + rng.standard_normal((n, 4)), rng.random(n) + 0.1
    found = standard(features, np.arange(n), weights)
    mean = np.average(features, axis=0, weights=weights)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(
        found.scale, np.sqrt(np.average((features - mean) ** 2, axis=0, weights=weights)), rtol=1e-8
    )


def test_the_mean_of_applied_features_is_0_and_their_variance_1():
    features = np.random.default_rng(0).lognormal(size=(300, 5)).astype(np.float32)
    z = standard(features, np.arange(300), np.ones(300)).apply(features)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(z.var(axis=0), 1, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e30, 1e-40])
def test_a_constant_feature_becomes_0(value):
    features = np.full((7, 1), value, dtype=np.float32)
    found = standard(features, np.arange(7), np.full(7, 1 / 3))
    assert found.scale.tolist() == [max(1.0, abs(float(features[0, 0])))]
    np.testing.assert_allclose(found.apply(features), 0, atol=1e-12)


def test_a_feature_that_varies_by_rounding_alone_becomes_0():
    features = np.full((7, 1), 1e28, dtype=np.float32)
    features[0] = np.nextafter(features[0], np.float32(np.inf))
    np.testing.assert_allclose(standard(features, np.arange(7), np.ones(7)).apply(features), 0, atol=1e-6)


def test_a_shared_scale_adds_the_median_variance():
    features = np.random.default_rng(0).standard_normal((200, 5)) * [1e-6, 1, 2, 3, 0]
    each, shared = (standard(features, np.arange(200), np.ones(200), scale) for scale in ("each", "shared"))
    typical = np.median(each.scale[:4] ** 2)
    np.testing.assert_allclose(shared.scale[:4], np.sqrt(each.scale[:4] ** 2 + typical))
    assert shared.scale[4] == pytest.approx(np.sqrt(typical))
    assert (shared.mean == each.mean).all()


def test_features_that_never_change_have_no_scale_to_share():
    features = np.full((3, 2), 7.0)
    assert standard(features, np.arange(3), np.ones(3), "shared").scale.tolist() == [7, 7]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bad_numbers_are_refused_and_named(bad, dtype):
    features = np.zeros((2000, 3), dtype=dtype)
    features[1500, 2] = features[1700, 0] = bad
    with pytest.raises(ValueError, match=r"finite numbers up to .* but 2 of 2000 rows .* the first of them row 1500"):
        refuse_bad(features)


def test_numbers_too_large_to_square_are_refused():
    with pytest.raises(ValueError, match="1 of 2 rows hold NaN, infinity or larger ones"):
        refuse_bad(np.array([[1e200], [1.0]]))
    refuse_bad(np.array([[np.finfo(np.float32).max]], dtype=np.float32))
