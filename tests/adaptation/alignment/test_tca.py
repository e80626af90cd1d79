"""TCA against the printed figure, the paper's matrices, and what it promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import eig
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics.pairwise import pairwise_kernels
from two_tasks import make_classification_da

from headstart.adaptation.alignment.step import Align, Domains
from headstart.adaptation.alignment.tca import TCA
from headstart.linalg import moments

DRAW = np.random.default_rng(2)
SOURCE, TARGET = DRAW.normal(size=(17, 3)), DRAW.normal(size=(12, 3)) + np.array([2, 0, 0])


def domains(source=SOURCE, target=TARGET, weights=None):
    return Domains(source, np.arange(len(source)) % 2, target, None, 2, weights)


def test_printed_figure():
    two = make_classification_da()
    aligned = TCA(dim=1, mu=0.1, gamma=0.1)(two.domains())
    head = RidgeClassifier().fit(aligned.source, aligned.targets)
    assert head.score(aligned.move(two.target), two.answers) == 0.93


@pytest.mark.parametrize(("kernel", "mu"), [("rbf", 0.1), ("rbf", 10), ("linear", 1), ("cosine", 1)])
def test_components_are_those_of_the_papers_matrices(kernel, mu, monkeypatch):
    """(I + mu K L K)^-1 K H K, each matrix as the paper writes it, by a solver for any matrix."""
    monkeypatch.setattr(moments, "BLOCK", 5)
    aligned = TCA(dim=2, mu=mu, kernel=kernel, gamma=0.3)(domains())
    x, n, m = np.concatenate([SOURCE, TARGET]), len(SOURCE), len(TARGET)
    k = pairwise_kernels(x, metric=kernel, **({"gamma": 0.3} if kernel == "rbf" else {}))
    ell = np.block(
        [
            [np.full((n, n), n**-2.0), np.full((n, m), -1 / n / m)],
            [np.full((m, n), -1 / n / m), np.full((m, m), m**-2.0)],
        ]
    )
    h = np.eye(n + m) - 1 / (n + m)
    values, w = eig(np.linalg.solve(np.eye(n + m) + mu * k @ ell @ k, k @ h @ k))
    w = w[:, np.argsort(-values.real)[:2]].real
    naive = k @ w / (k @ w).std(0)
    found = np.concatenate([aligned.source, aligned.move(TARGET)])
    np.testing.assert_allclose(found * np.sign((found * naive).sum(0)), naive, atol=1e-5)


def test_more_mu_brings_the_tasks_nearer():
    apart = [TCA(dim=1, mu=mu, kernel="linear")(domains()).facts["distance"] for mu in (0, 0.01, 1, 100)]
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < apart[0] / 10


def test_landmarks_bound_the_memory_and_keep_the_components():
    draw = np.random.default_rng(3)
    source, target = (draw.normal(size=(count, 2)) * [3, 1] + np.array([at, at]) for count, at in ((500, 0), (400, 1)))
    exact, few = (TCA(dim=1, gamma=0.01, mu=1e-5, most=most)(domains(source, target)) for most in (900, 60))
    assert few.facts["kernel_rows"] == 60
    assert abs(np.corrcoef(exact.source[:, 0], few.source[:, 0])[0, 1]) > 0.98
    assert few.facts["distance"] == pytest.approx(exact.facts["distance"], rel=0.1)
    np.testing.assert_array_equal(few.source, TCA(dim=1, gamma=0.01, mu=1e-5, most=60)(domains(source, target)).source)
    assert TCA().memory(10**6) == TCA().memory(2000) < 0.5e9


def test_weights_count_as_repeated_rows():
    weights = np.arange(17) % 3 + 1
    weighed = TCA(dim=1, kernel="linear", mu=0)(domains(weights=weights / weights.mean()))
    center = np.average(weighed.source, 0, weights) * 17 + weighed.move(TARGET).sum(0)
    spread = np.average(weighed.source**2, 0, weights) * 17 + (weighed.move(TARGET) ** 2).sum(0)
    np.testing.assert_allclose(spread / 29 - (center / 29) ** 2, 1)


def test_identical_tasks_one_target_row_and_a_constant_feature():
    same = TCA(dim=2)(domains(SOURCE, SOURCE.copy()))
    assert same.facts["distance"] == pytest.approx(0, abs=1e-8)
    one = TCA(dim=2)(domains(np.where([1, 1, 0], SOURCE, 4.0), TARGET[:1]))
    assert np.isfinite(one.source).all()
    assert one.move(TARGET[:0]).shape == (0, 2)
    assert isinstance(TCA(), Align)


def test_bad_input():
    with pytest.raises(ValueError, match="dim=4 is above the rank of the kernel on 29 rows"):
        TCA(dim=4, kernel="linear")(domains())
    with pytest.raises(ValueError, match="dim=30 is above the rank of the kernel on 29 rows"):
        TCA(dim=30)(domains())
    with pytest.raises(
        ValueError, match=r"dim=1 is above the rank .*: expected features that vary, for all rows are the same"
    ):
        TCA(dim=1)(domains(np.ones((4, 3)), np.ones((2, 3))))
    with pytest.raises(ValueError, match=r"a kernel on 29 rows would take 0.0 GB, above the limit.*set most= lower"):
        TCA(limit=1e-6)(domains())
    for option, bad, words in (
        ("dim", 0, "whole number, 1 or more"),
        ("most", 1, "whole number, 2 or more"),
        ("mu", float("nan"), "finite number, 0 or more"),
        ("gamma", 0, "finite number, more than 0"),
        ("limit", -1, "finite number, more than 0"),
        ("kernel", "poly", "one of 'rbf', 'linear', 'cosine'"),
    ):
        with pytest.raises(ValueError, match=f"{option}=.*expected.*{words}"):
            TCA(**{option: bad})
