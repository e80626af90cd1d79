"""Label shift by BBSE and by MLLS: true shares within the interval, by hand, notes in words, and bad input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import softmax

from headstart.adaptation.alignment.step import Align, Domains
from headstart.adaptation.reweighting import bbse as labels
from headstart.adaptation.reweighting import mlls
from headstart.adaptation.reweighting.bbse import BBSE
from headstart.adaptation.reweighting.class_shares import Shares
from headstart.adaptation.reweighting.mlls import MLLS
from headstart.tasks.task import Array

P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6])
WAYS: list[Callable[[Domains], Shares]] = [
    labels.label_shares,
    lambda domains: labels.label_shares(domains, BBSE(soft=False)),
    mlls.label_shares,
]


def _shifted(seed: int = 0, n: int = 600, m: int = 500, q: Array = Q, apart: float = 1.5) -> Domains:
    draw = np.random.default_rng(seed)
    centres = apart * np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    y, z = draw.choice(3, n, p=P), draw.choice(3, m, p=q)
    return Domains(draw.normal(size=(n, 3)) + centres[y], y, draw.normal(size=(m, 3)) + centres[z], None, 3)


@pytest.mark.parametrize("way", WAYS)
def test_the_true_shares_are_within_the_interval(way: Callable[[Domains], Shares]) -> None:
    """95 % intervals, three classes, ten draws: at least 25 of 30, and far from the source's shares."""
    found = [way(_shifted(seed)) for seed in range(10)]
    held = sum(int(((shares.low <= Q) & (shares.high >= Q)).sum()) for shares in found)
    assert held >= 25
    np.testing.assert_allclose(np.mean([shares.target for shares in found], axis=0), Q, atol=0.05)
    assert max(float((shares.high - shares.low).max()) for shares in found) < 0.4


@pytest.mark.parametrize("way", WAYS)
def test_no_shift_and_shares_that_add_up(way: Callable[[Domains], Shares]) -> None:
    shares = way(_shifted(q=P))
    assert (shares.low <= shares.source).all()
    assert (shares.source <= shares.high).all()
    assert shares.target.sum() == pytest.approx(1)
    assert shares.target.min() >= 0


@pytest.mark.parametrize("way", WAYS)
def test_more_rows_narrow_the_interval(way: Callable[[Domains], Shares]) -> None:
    few, many = way(_shifted(n=300, m=200)), way(_shifted(n=3000, m=4000))
    assert (many.high - many.low).mean() < 0.5 * (few.high - few.low).mean()


@pytest.mark.parametrize("step", [BBSE(), BBSE(soft=False), MLLS()])
def test_weights_are_the_ratio_of_shares(step: Align) -> None:
    domains = _shifted()
    aligned = step(domains)
    ratio = np.divide(aligned.facts["target"], aligned.facts["source"])[domains.targets]
    np.testing.assert_allclose(aligned.weights, ratio / ratio.mean())
    assert aligned.weights is not None
    assert aligned.weights[domains.targets == 2].mean() > 2
    assert aligned.weights[domains.targets == 0].mean() < 0.5
    assert aligned.facts["effective"] == pytest.approx(600**2 / np.square(aligned.weights).sum())
    assert aligned.source is domains.source


def test_black_box_shares_by_hand() -> None:
    """A feature that is the class: the confusion matrix is the identity and shares are counts."""
    y, z = np.repeat([0, 1], [30, 10]), np.repeat([0, 1], [5, 15])
    domains = Domains(y[:, None] * 1.0, y, z[:, None] * 1.0, None, 2)
    shares = labels.label_shares(domains, BBSE(soft=False))
    np.testing.assert_allclose(shares.target, [0.25, 0.75])
    np.testing.assert_allclose(shares.source, [0.75, 0.25])
    half = 1.96 * (0.25 * 0.75 / 20) ** 0.5
    np.testing.assert_allclose([shares.low[0], shares.high[0]], [0.25 - half, 0.25 + half], atol=0.05)
    np.testing.assert_allclose(mlls.label_shares(domains).target, [0.25, 0.75], atol=0.01)


def test_shares_below_zero_are_clipped_and_said() -> None:
    found = [BBSE()(_shifted(seed, 200, 60, np.array([0.0, 0.3, 0.7]), 1.0)) for seed in range(4)]
    clipped = next(aligned for aligned in found if aligned.facts["clipped"])
    assert "class 0: estimated share -0." in str(clipped.facts["notes"])
    assert "is below 0 and was set to 0" in str(clipped.facts["notes"])
    assert clipped.facts["target"][0] == 0  # type: ignore[index]


def test_classes_that_look_alike_are_said() -> None:
    domains = _shifted()
    merged = domains._replace(targets=np.where(domains.targets == 2, 1 + np.arange(600) % 2, domains.targets * 0))
    shares = labels.label_shares(merged)
    assert any("the confusion matrix is" in note and "above all 1 and 2" in note for note in shares.notes)
    assert (shares.high - shares.low)[1:].min() > 0.4


def test_a_singular_confusion_matrix_leaves_the_shares_open() -> None:
    domains = Domains(np.ones((20, 2)), np.arange(20) % 2, np.ones((5, 2)), None, 2)
    shares = labels.label_shares(domains)
    assert "the confusion matrix is singular" in shares.notes[0]
    assert shares.low.tolist() == [0, 0]
    assert shares.high.tolist() == [1, 1]


def test_calibration_undoes_a_known_distortion() -> None:
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(20_000, 3)) * 2
    p = softmax(logits, axis=1)
    codes = (draw.random((20_000, 1)) > p.cumsum(axis=1)).sum(axis=1)
    sure, b = mlls.calibrated(3 * logits + np.array([1.0, 0, -1]), codes)
    assert sure == pytest.approx(1 / 3, abs=0.01)
    np.testing.assert_allclose(b - b.mean(), [-1 / 3, 0, 1 / 3], atol=0.06)


@pytest.mark.parametrize("step", [BBSE(), MLLS()])
def test_identical_tasks_and_the_same_again(step: Align) -> None:
    domains = _shifted()
    np.testing.assert_array_equal(step(domains._replace(target=domains.source.copy())).weights, np.ones(600))
    np.testing.assert_array_equal(step(domains).weights, step(domains).weights)


@pytest.mark.parametrize("step", [BBSE(), MLLS()])
def test_one_target_row_more_features_than_rows_and_rare_classes(step: Align) -> None:
    draw = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [20, 8, 2])
    for target in (draw.normal(size=(1, 50)), draw.normal(size=(9, 50))):
        weights = step(Domains(draw.normal(size=(30, 50)), y, target, None, 3)).weights
        assert weights is not None
        assert weights.mean() == pytest.approx(1)


@pytest.mark.parametrize("way", [labels.label_shares, mlls.label_shares, BBSE(), MLLS()])
def test_classes_that_cannot_be_weighed(way: Callable[[Domains], object]) -> None:
    domains = _shifted()
    with pytest.raises(ValueError, match="this is a regression: use weights by features"):
        way(domains._replace(classes=0))
    with pytest.raises(ValueError, match="the source has 1 class: expected at least 2"):
        way(domains._replace(classes=1, targets=np.zeros(600, dtype=int)))
    with pytest.raises(ValueError, match="at least 2 source rows, and class 3 has 0: leave these classes out"):
        way(domains._replace(classes=4))
    with pytest.raises(ValueError, match="class 1 has 1"):
        way(domains._replace(classes=2, targets=(np.arange(600) == 5).astype(int)))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (BBSE(C=float("nan")), "C=nan"),
        (BBSE(folds=1), "folds=1"),
        (BBSE(draws=3), "draws=3: expected a whole number, 20 or more"),
        (MLLS(C=-1.0), "C=-1.0"),
        (MLLS(draws=0), "draws=0"),
    ],
)
def test_bad_options(step: Align, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        step(_shifted())
