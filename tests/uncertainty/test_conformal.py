"""Sets and intervals equal MAPIE's and crepes', cover as often as asked, and refuse what they cannot promise."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.uncertainty.conformal import MOST, ROWS, Conformity, groups
from headstart.uncertainty.quantile import share_of, threshold


def simulated(rows: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are off (too sure), and classes drawn from honest ones."""
    rng = np.random.default_rng(seed)
    logits = 1.5 * rng.normal(size=(rows, classes))
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    sure = honest**2 / (honest**2).sum(axis=1, keepdims=True)
    return sure, (np.log(honest) + rng.gumbel(size=honest.shape)).argmax(axis=1)


def frozen(probabilities: np.ndarray) -> object:
    """A fitted scikit-learn classifier whose inputs are its probabilities."""
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Given(ClassifierMixin, BaseEstimator):
        def fit(self, X: np.ndarray, y: np.ndarray) -> Given:
            self.classes_ = np.arange(probabilities.shape[1])
            return self

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            return np.asarray(X)

        def predict(self, X: np.ndarray) -> np.ndarray:
            return np.asarray(X).argmax(axis=1)

    return Given().fit(probabilities, np.arange(0))


def with_the_likeliest(sets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    both = sets.copy()
    both[np.arange(len(sets)), probabilities.argmax(axis=1)] = True
    return both


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.97])
def test_lac_sets_are_those_of_mapie(coverage: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mapie.classification import SplitConformalClassifier

        p, y = simulated(300, 5, 0)
        new, _ = simulated(200, 5, 1)
        other = SplitConformalClassifier(
            frozen(p), confidence_level=coverage, conformity_score="lac", prefit=True
        ).conformalize(p, y)
        expected = other.predict_set(new)[1][:, :, 0]
    ours = Conformity.of(CLASSIFICATION, p, y).sets(new, coverage, per_class=False)
    assert (ours == with_the_likeliest(expected, new)).mean() > 0.999  # float32 against float64 at a threshold
    assert 1 < ours.sum(axis=1).mean() < 5


def test_sets_of_each_class_are_those_of_crepes() -> None:
    from crepes import ConformalClassifier
    from crepes.extras import hinge

    p, y = simulated(600, 3, 0)
    new, _ = simulated(200, 3, 1)
    other = ConformalClassifier().fit(hinge(p, np.arange(3), y), bins=y)
    p_values = np.stack(
        [other.predict_p(hinge(new), bins=np.full(len(new), code), smoothing=False)[:, code] for code in range(3)],
        axis=1,
    )
    ours = Conformity.of(CLASSIFICATION, p, y).sets(new, 0.9)
    assert (ours == with_the_likeliest(p_values > 0.1, new)).mean() > 0.999


def test_intervals_are_those_of_crepes() -> None:
    from crepes import ConformalRegressor

    rng = np.random.default_rng(0)
    values, targets, new = rng.normal(size=(3, 150))
    expected = ConformalRegressor().fit(targets - values).predict_int(new, confidence=0.9)
    assert np.allclose(Conformity.of(REGRESSION, values, targets).intervals(new, 0.9), expected)


@pytest.mark.parametrize("score", ["lac", "aps", "raps"])
def test_each_score_covers_as_often_as_asked_where_rows_are_exchangeable(score: str) -> None:
    p, y = simulated(60_000, 12, 0)
    covered, sizes = [], []
    for start in range(0, 60_000, 600):
        a, b = slice(start, start + 300), slice(start + 300, start + 600)
        sets = Conformity.of(CLASSIFICATION, p[a], y[a]).sets(p[b], 0.9, score, per_class=False)
        covered.append(sets[np.arange(300), y[b]].mean())
        sizes.append(sets.sum(axis=1).mean())
    assert -0.005 < np.mean(covered) - 0.9 < 0.015  # above, since the likeliest class is always in
    assert np.mean(sizes) < 9


def test_a_rare_class_is_covered_by_a_threshold_of_its_own() -> None:
    p, y = simulated(4_000, 2, 0)
    p[:, 1] *= 0.2  # a classifier that hardly ever says 1
    p /= p.sum(axis=1, keepdims=True)
    half = Conformity.of(CLASSIFICATION, p[:2000], y[:2000])
    new, truth = p[2000:], y[2000:]
    rows = np.arange(len(new))
    alike, own = (half.sets(new, 0.9, per_class=each)[rows, truth] for each in (False, True))
    assert alike[truth == 1].mean() < 0.87
    assert abs(own[truth == 1].mean() - 0.9) < 0.03


def test_aps_is_worked_out_by_hand() -> None:
    p = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    scores = Conformity.of(CLASSIFICATION, p, np.array([1, 2]))
    assert scores.above == pytest.approx([0.5, 0.0])
    assert scores.truth == pytest.approx([0.3, 0.7])
    assert scores.rank.tolist() == [1, 0]


def test_the_likeliest_class_is_always_in() -> None:
    p = np.tile([[0.98, 0.02]], (200, 1))
    sets = Conformity.of(CLASSIFICATION, p, np.zeros(200, int)).sets(np.array([[0.6, 0.4]]), 0.5)
    assert sets.tolist() == [[True, False]]


def test_a_set_of_several_labels_holds_all_that_are_true() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(size=(4_000, 4))
    y = (rng.uniform(size=p.shape) < p).astype(np.uint8)
    sets = Conformity.of(MULTILABEL, p[:2000], y[:2000]).sets(p[2000:], 0.9)
    assert abs((sets | (y[2000:] == 0)).all(axis=1).mean() - 0.9) < 0.03
    assert not sets.all()


@pytest.mark.parametrize("coverage", [0, 1, 1.5, -0.1, float("nan"), float("inf"), True, "much", None])
def test_a_coverage_that_is_no_share_is_refused_with_words(coverage: object) -> None:
    with pytest.raises(ValueError, match=r"coverage is .*, expected a number above 0 and below 1"):
        share_of(coverage)
    scores = Conformity.of(CLASSIFICATION, *simulated(60, 3, 0))
    with pytest.raises(ValueError, match="expected a number above 0 and below 1"):
        scores.sets(np.ones((1, 3)) / 3, coverage)  # type: ignore[arg-type]


def test_of_too_few_rows_everything_is_in_a_set_and_no_interval_is_promised() -> None:
    assert threshold(np.arange(8.0), 0.9) == float("inf")
    assert threshold(np.arange(9.0), 0.9) == 8
    assert threshold(np.arange(10.0), 0.9) == 9
    few = Conformity.of(CLASSIFICATION, np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]))
    assert few.sets(np.array([[0.99, 0.01]]), 0.9).all()
    values = Conformity.of(REGRESSION, np.zeros(5), np.arange(5.0))
    with pytest.raises(ValueError, match=r"5 rows can promise no interval of coverage 0\.9"):
        values.intervals(np.zeros(1), 0.9)


def test_what_does_not_go_together_is_refused() -> None:
    of_classes = Conformity.of(CLASSIFICATION, *simulated(60, 3, 0))
    of_values = Conformity.of(REGRESSION, np.zeros(20), np.ones(20))
    of_labels = Conformity.of(MULTILABEL, np.ones((2, 2)) / 2, np.ones((2, 2)))
    with pytest.raises(ValueError, match="predict_set"):
        of_classes.intervals(np.zeros(1), 0.9)
    with pytest.raises(ValueError, match="predict_interval"):
        of_values.sets(np.zeros((1, 1)), 0.9)
    with pytest.raises(ValueError, match="expected lac, aps, raps"):
        of_classes.sets(np.ones((1, 3)), 0.9, "best")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="several labels"):
        of_labels.sets(np.ones((1, 2)), 0.9, "aps")
    with pytest.raises(ValueError, match="as many rows as targets"):
        Conformity.of(REGRESSION, np.zeros(0), np.zeros(0))


@given(st.lists(st.integers(0, 200), min_size=1, max_size=12))
def test_classes_share_a_threshold_only_where_their_rows_are_few(counts: list[int]) -> None:
    rows = np.array(counts)
    group = groups(rows)
    assert sorted(set(group.tolist())) == list(range(group.max() + 1))
    together = np.bincount(group, rows)
    assert (together >= ROWS).all() or len(together) == 1
    shared = [number for number in range(len(together)) if (group == number).sum() > 1]
    assert len(shared) <= 1
    assert all(rows[group == number].min() < ROWS for number in shared)


def test_scores_come_back_from_their_arrays_and_damaged_ones_do_not() -> None:
    scores = Conformity.of(CLASSIFICATION, *simulated(80, 3, 0))
    again = Conformity.from_arrays(CLASSIFICATION, 3, scores.arrays())
    new, _ = simulated(20, 3, 1)
    assert (again.sets(new, 0.9, "raps") == scores.sets(new, 0.9, "raps")).all()
    for name, wrong, words in (
        ("truth", scores.truth[:5], "shapes"),
        ("truth", scores.truth * np.nan, "NaN"),
        ("codes", scores.codes + 3, "classes from 0 to 2"),
    ):
        with pytest.raises(ValueError, match=words):
            Conformity.from_arrays(CLASSIFICATION, 3, scores.arrays() | {name: wrong})
    with pytest.raises(ValueError, match="scores of a classification are"):
        Conformity.from_arrays(CLASSIFICATION, 3, {"truth": scores.truth})


def test_of_many_rows_a_draw_is_stored() -> None:
    rng = np.random.default_rng(0)
    scores = Conformity.of(REGRESSION, rng.normal(size=MOST + 500), np.zeros(MOST + 500))
    assert len(scores) == MOST
