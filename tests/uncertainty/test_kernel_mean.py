"""MMD of sums equals the plain double sum, its p is that of permutations, and false alarms come as often as stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import binom

from headstart.linalg.random_features import fourier
from headstart.uncertainty.kernel_mean import FEWEST, KernelMean
from headstart.uncertainty.out_of_distribution import OutOfDistribution, Placed

WIDTH = 24


def features(rows: int, seed: int, shift: float = 0.0) -> np.ndarray:
    """Clusters behind a rectifier, as features of a network are."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(4, WIDTH))
    return np.maximum(centres[rng.integers(0, 4, rows)] + 0.7 * rng.normal(size=(rows, WIDTH)) + shift, 0)


def stored(
    x: np.ndarray, blocks: np.ndarray | None = None, *, unit: bool = True
) -> tuple[OutOfDistribution, KernelMean]:
    placed = Placed(x, np.arange(len(x)) if blocks is None else blocks, unit)
    distribution = OutOfDistribution.of(placed)
    assert distribution is not None
    return distribution, KernelMean.of(placed, distribution)


def naive(k: np.ndarray, n: int, blocks: np.ndarray | None = None) -> float:
    """Unbiased MMD^2 of a kernel matrix of n rows and the others (Gretton et al., 2012, equation 3)."""
    blocks = np.arange(n) if blocks is None else blocks
    first, second, between = k[:n, :n], k[n:, n:], k[:n, n:]
    apart = blocks[:, None] != blocks[None]
    other = ~np.eye(len(second), dtype=bool)
    return float(first[apart].mean() + second[other].mean() - 2 * between.mean())


@pytest.fixture(scope="module")
def known() -> tuple[np.ndarray, OutOfDistribution, KernelMean]:
    x = features(300, 0)
    return x, *stored(x)


def test_sums_give_what_all_pairs_give(known):
    x, distribution, means = known
    y = features(80, 1, 0.1)
    both = np.concatenate([distribution.scaled(x), distribution.scaled(y)])
    squared = means.discrepancy(means.sums(distribution.scaled(y)), len(y)).squared
    z = fourier(both, means.frequencies).astype(np.float64)
    assert squared == pytest.approx(naive(z @ z.T, len(x)), abs=1e-6)
    exact = naive(np.exp(-float(means.gamma[0]) * cdist(both, both, "sqeuclidean")), len(x))
    assert squared == pytest.approx(exact, rel=0.3)


def test_a_row_is_not_compared_with_those_of_its_block():
    x = np.repeat(features(60, 0), 3, axis=0)
    blocks = np.repeat(np.arange(60), 3)
    distribution, means = stored(x, blocks)
    assert means.count[0] == pytest.approx(60)
    z = fourier(distribution.scaled(x), means.frequencies).astype(np.float64)
    apart = blocks[:, None] != blocks[None]
    assert means.square[0] == pytest.approx((z @ z.T)[apart].mean(), abs=1e-6)


def test_p_is_that_of_a_permutation_test(known):
    x, distribution, means = known
    rng = np.random.default_rng(5)
    for shift in (0.0, 0.05, 0.08):
        y = features(100, 3, shift)
        both = np.concatenate([distribution.scaled(x), distribution.scaled(y)])
        k = np.exp(-float(means.gamma[0]) * cdist(both, both, "sqeuclidean"))
        observed = naive(k, len(x))
        orders = [rng.permutation(len(k)) for _ in range(60)]
        p = np.mean([naive(k[np.ix_(order, order)], len(x)) >= observed for order in orders])
        assert means.discrepancy(means.sums(distribution.scaled(y)), len(y)).p == pytest.approx(p, abs=0.2)


@pytest.mark.parametrize(("rows", "window", "unit"), [(300, 50, True), (60, 20, True), (60, 200, False)])
def test_windows_of_the_same_kind_are_flagged_about_as_often_as_stated(rows, window, unit):
    """Other training rows each time, since windows share what is off in those: the count is binomial."""
    p, trials = [], 60
    for seed in range(trials):
        distribution, means = stored(features(rows, 1000 + seed), unit=unit)
        y = distribution.scaled(features(window, 10_000 + seed))
        p.append(means.discrepancy(means.sums(y), window).p)
    assert binom.ppf(0.001, trials, 0.1) <= np.sum(np.array(p) < 0.1) <= binom.ppf(0.999, trials, 0.1)
    assert np.sum(np.array(p) < 0.01) <= binom.ppf(0.999, trials, 0.01)


def test_what_is_shifted_is_found(known):
    _, distribution, means = known
    for window, least in ((FEWEST, 1e-3), (200, 1e-9)):
        y = distribution.scaled(features(window, 7, 1.5))
        assert means.discrepancy(means.sums(y), window).p < least


def test_sums_of_parts_are_the_sum_of_all(known):
    _, distribution, means = known
    y = distribution.scaled(features(90, 2))
    np.testing.assert_allclose(means.sums(y[:40]) + means.sums(y[40:]), means.sums(y), rtol=1e-5, atol=1e-5)


def test_too_few_rows_are_not_compared(known):
    _, distribution, means = known
    y = distribution.scaled(features(FEWEST - 1, 2))
    with pytest.raises(ValueError, match="19 rows are too few to compare: expected 20"):
        means.discrepancy(means.sums(y), len(y))


def test_rows_that_are_all_alike_give_a_spectrum_of_nothing():
    distribution, means = stored(np.ones((40, 3)))
    y = distribution.scaled(np.ones((50, 3)))
    assert means.discrepancy(means.sums(y), 50).p > 0.05 or len(means.spectrum) == 0
    assert means.discrepancy(means.sums(distribution.scaled(-np.ones((50, 3)))), 50).p == 0


def test_it_is_the_same_after_a_file(known):
    _, distribution, means = known
    again = KernelMean.from_arrays(means.arrays())
    y = distribution.scaled(features(50, 2))
    assert again.discrepancy(again.sums(y), 50) == means.discrepancy(means.sums(y), 50)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gamma": np.array([0.0])}, "a width, a number of rows or a variance"),
        ({"spectrum": np.array([-1.0])}, "a width, a number of rows or a variance"),
        ({"mean": np.zeros(3)}, "shapes that do not go together"),
        ({"square": np.array([np.nan])}, "hold NaN or infinity"),
    ],
)
def test_arrays_that_are_nothing_of_the_kind_are_refused(known, change, words):
    with pytest.raises(ValueError, match=words):
        KernelMean.from_arrays(replace(known[2], **change).arrays())
    with pytest.raises(ValueError, match=r"means are width, gamma.*; these are gamma"):
        KernelMean.from_arrays({"gamma": np.array([1.0])})
