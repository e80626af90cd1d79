"""All scores: published values, invariances that their definitions have, odd data, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import ortho_group

from headstart import automl
from headstart.automl import SCORES, decompose, transferability
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

OF_FEATURES = [name for name, score in SCORES.items() if score.takes == "features"]
OF_SOURCES = [name for name in SCORES if name not in OF_FEATURES]
OF_VALUES = [name for name, score in SCORES.items() if REGRESSION in score.kinds]
OF_CLASSES = [name for name in OF_FEATURES if name not in OF_VALUES]

SMOOTH = [name for name in OF_FEATURES if name != "n-leep"]  # whose k-means may go elsewhere by the last bit

# The values of GOLDEN's table, from other people's code: (name, iris, wine, tolerance).
GOLDEN = [
    ("logme", -0.63915, -0.53771, 1e-4),
    ("h-score", 1.1918988250, 1.7058208021, 1e-8),
    ("shrunk-h-score", 1.1729479300, 1.6726003026, 1e-8),
    ("transrate", 0.5899060498, 2.6671221961, 1e-8),
    ("leep", -0.8171414658, -0.9614817534, 1e-8),
    ("nce", -0.4263300434, -0.7586042956, 1e-8),
]


@pytest.mark.parametrize(("name", "iris", "wine", "tolerance"), GOLDEN)
def test_published_values(cases, name, iris, wine, tolerance):
    for data, expected in (("iris", iris), ("wine", wine)):
        features, labels = cases[data]
        given_ = features if SCORES[name].takes == "features" else softmax(features[:, :5], axis=1)
        assert transferability(name, given_, labels) == pytest.approx(expected, abs=tolerance)


def test_every_score_is_public_and_says_which_way_is_better():
    for name, score in SCORES.items():
        assert score.of is getattr(automl, name.replace("-", "_"))
        assert "igher is better" in score.of.__doc__
        assert score.about


BOUNDS = {
    "leave-one-out": (-20, 0), "logme": (-10, 40), "knn": (0, 1), "h-score": (0, 9), "shrunk-h-score": (-1e-9, 9),
    "transrate": (-1e-9, 1e6), "gbc": (-90, 0), "sfda": (0, 1), "parc": (-100, 100), "n-leep": (-2.4, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_FEATURES)
def test_scores_stay_in_their_bounds(case, name):
    low, high = BOUNDS[name]
    assert low <= transferability(name, case.features, case.labels) <= high + 1e-9


@pytest.mark.parametrize("name", OF_FEATURES)
def test_a_decomposition_is_as_good_as_the_features(cases, name):
    for data in ("wine", "more columns than rows"):
        features, labels = cases[data]
        assert transferability(name, decompose(features), labels) == transferability(name, features, labels)


@pytest.mark.parametrize("name", SMOOTH)
def test_the_smaller_gram_matrix_gives_the_same_score(monkeypatch, cases, name):
    for data in ("iris", "breast cancer", "more columns than rows", "many more columns", "repeated columns"):
        features, labels = cases[data]
        by_values = transferability(name, features, labels)
        with monkeypatch.context() as patch:
            patch.setattr("headstart.automl.decomposition.DIRECT", 0)
            assert transferability(name, features, labels) == pytest.approx(by_values, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", SMOOTH)
def test_float32_and_an_offset_hardly_count(cases, name):
    features, labels = cases["wine"]
    value = transferability(name, features, labels)
    assert transferability(name, features.astype(np.float32), labels) == pytest.approx(value, rel=1e-3)
    if name != "logme":  # has no intercept
        assert transferability(name, features + 1e6, labels) == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize("name", OF_FEATURES)
@pytest.mark.parametrize("columns", [3, 40])
def test_as_many_classes_as_rows(name, columns):
    rows = np.random.default_rng(0).normal(size=(12, columns))
    assert np.isfinite(transferability(name, rows, np.arange(12)))


@pytest.mark.parametrize("name", OF_FEATURES)
def test_features_that_do_not_vary(name):
    labels = np.arange(30) % 3
    value = transferability(name, np.full((30, 4), 3.5), labels)
    assert np.isfinite(value)
    assert value < transferability(name, 3.5 + np.eye(4)[labels], labels)


@pytest.mark.parametrize("name", OF_FEATURES)
def test_two_rows(name):
    assert np.isfinite(transferability(name, [[0.0, 1.0], [1.0, 3.0]], ["a", "b"]))


@pytest.mark.parametrize("name", OF_FEATURES)
def test_labels_of_other_rows_score_less(cases, name):
    for data in ("iris", "wine", "digits"):
        features, labels = cases[data]
        others = np.random.default_rng(0).permutation(labels)
        assert transferability(name, features, labels) > transferability(name, features, others)


@pytest.mark.parametrize("factor", [2.0**-20, 2.0**12])
def test_the_mixture_does_not_see_scale(cases, factor):
    """By a power of two, which rounds nothing: from other rounding k-means may go elsewhere."""
    features, labels = cases["wine"]
    assert transferability("n-leep", factor * features, labels) == transferability("n-leep", features, labels)


@pytest.mark.parametrize("name", OF_VALUES)
def test_scores_of_values(name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 6))
    y = x[:, 0] + 0.3 * rng.normal(size=200)
    assert transferability(name, x, y, kind=REGRESSION) > transferability(
        name, rng.normal(size=x.shape), y, kind=REGRESSION
    )
    values = [transferability(name, x, scaled, kind=REGRESSION) for scaled in (y, 10 * y)]
    assert values[0] - values[1] == pytest.approx(np.log(10) if name == "logme" else 0, abs=1e-6)


# Invariances. What each score does not see: rotations, one factor on all features, a constant added to the rows. The
# mixture of N-LEEP has none but for rounding: k-means begins with rows by their number, and may end elsewhere.
ROTATION = {"leave-one-out", "logme", "knn", "h-score", "shrunk-h-score", "transrate", "gbc", "sfda"}
SCALE = {"leave-one-out", "logme", "knn", "h-score", "shrunk-h-score", "gbc", "parc"}
SHIFT = set(OF_FEATURES) - {"logme", "n-leep"}
ORDER = set(OF_FEATURES) - {"n-leep"}


@st.composite
def problems(draw):
    """Features with some class structure, labels, and a generator."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, d, c = draw(st.integers(12, 60)), draw(st.integers(2, 80)), draw(st.integers(2, 4))
    labels = np.r_[np.arange(c), rng.integers(0, c, n - c)]
    features = (
        rng.normal(size=(n, d)) * np.exp(rng.normal(size=d)) + draw(st.floats(0, 2)) * rng.normal(size=(c, d))[labels]
    )
    return features, labels, rng


def same(name, problem, features, labels):
    expected = transferability(name, problem[0], problem[1])
    assert transferability(name, features, labels) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", sorted(ROTATION))
@settings(max_examples=15)
@given(problem=problems())
def test_rotation(name, problem):
    features, labels, rng = problem
    same(name, problem, features @ ortho_group.rvs(features.shape[1], random_state=rng), labels)


@pytest.mark.parametrize("name", sorted(SCALE))
@settings(max_examples=15)
@given(problem=problems(), factor=st.sampled_from([1e-6, 0.37, 12.0, 1e5]))
def test_scale(name, problem, factor):
    same(name, problem, factor * problem[0], problem[1])


@pytest.mark.parametrize("name", sorted(SHIFT))
@settings(max_examples=15)
@given(problem=problems())
def test_shift(name, problem):
    features, labels, rng = problem
    same(name, problem, features + 100 * rng.normal(size=features.shape[1]), labels)


@pytest.mark.parametrize("name", sorted(ORDER))
@settings(max_examples=15)
@given(problem=problems())
def test_order_of_the_rows(name, problem):
    features, labels, rng = problem
    order = rng.permutation(len(labels))
    same(name, problem, features[order], labels[order])


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_FEATURES)
@settings(max_examples=15)
@given(problem=problems())
def test_names_of_the_classes(name, problem):
    features, labels, _ = problem
    same(name, problem, features, np.array(["z", "b", "y", "a"])[labels])
    same(name, problem, features, np.array([5.0, -1.0, 100.0, 7.0])[labels])


@pytest.mark.parametrize("name", OF_SOURCES)
@settings(max_examples=15)
@given(problem=problems())
def test_sources_have_no_order_either(name, problem):
    features, labels, rng = problem
    p = softmax(features, axis=1)
    order, columns = rng.permutation(len(labels)), rng.permutation(p.shape[1])
    same(name, (p, labels), p[order][:, columns], np.array(["z", "b", "y", "a"])[labels[order]])


# Bad input.
@pytest.mark.parametrize("name", OF_FEATURES)
def test_what_is_refused(cases, name):
    features, labels = cases["wine"]
    bad = features.copy()
    bad[17, 3] = np.nan
    for given_, targets, words in (
        (bad, labels, "features must be finite numbers .* but 1 of 178 rows hold NaN.* row 17"),
        (features[0], labels, r"features have shape \(13,\): expected \(rows, columns\)"),
        (features[:, :0], labels, r"features have shape \(178, 0\)"),
        (features[:1], labels[:1], r"features have shape \(1, 13\): .* at least two rows"),
        (features.astype(str), labels, "features are of type <U.*: expected real numbers"),
        (features, labels[:-1], "there are 177 targets for 178 rows: expected one a row"),
        (features, np.eye(3)[labels], r"targets have shape \(178, 3\): expected \(178,\), one a row"),
        (features, np.zeros(178, int), "all 178 rows are of class 0: expected rows of two classes at least"),
        (
            features,
            labels + 0.25,
            "targets hold numbers that are not whole, such as 0.25: .* pass kind='regression' to logme",
        ),
        (features, np.where(labels == 1, np.nan, labels), "71 of 178 targets are missing: leave out the rows"),
        (features, np.where(labels == 1, None, labels), "71 of 178 targets are missing"),
    ):
        with pytest.raises(ValueError, match=words):
            transferability(name, given_, targets)


@pytest.mark.parametrize("name", OF_VALUES)
def test_what_is_refused_of_values(cases, name):
    features, _ = cases["wine"]
    values = features[:, 0].copy()
    values[2] = np.inf
    for targets, words in (
        (values, "1 of 178 targets are NaN or infinite: leave out those rows"),
        (np.ones(178), "all 178 targets are 1: expected values that differ, to be explained"),
        (np.repeat(["a", "b"], 89), "targets are of type <U1: expected a number a row for regression"),
    ):
        with pytest.raises(ValueError, match=words):
            transferability(name, features, targets, kind=REGRESSION)
    with pytest.raises(ValueError, match="kind='multilabel': expected 'classification' or 'regression'"):
        SCORES[name].of(features, values, kind=MULTILABEL)


def test_names_and_kinds_that_do_not_fit(cases):
    features, labels = cases["wine"]
    with pytest.raises(ValueError, match=r"no score is called 'logm': expected one of leave-one-out, .*nearest: logme"):
        transferability("logm", features, labels)
    for name in OF_CLASSES:
        with pytest.raises(
            ValueError,
            match=f"{name} is defined for classification, not for 'regression': use leave-one-out or logme or knn",
        ):
            transferability(name, features, features[:, 0], kind=REGRESSION)
    with pytest.raises(ValueError, match=r"leep is defined for .*: no score of probabilities is defined for it"):
        transferability("leep", features, features[:, 0], kind=REGRESSION)
    with pytest.raises(ValueError, match=r"kind must be 'classification', .*, got 'ranking'"):
        transferability("knn", features, labels, kind="ranking")
    assert CLASSIFICATION in SCORES["knn"].kinds
