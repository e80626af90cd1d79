"""Balanced weights: the printed figure, both ends, and shares that sum as set."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from two_tasks import make_classification_da, make_regression_da

from headstart.adaptation.estimators.adapted import Adapted
from headstart.adaptation.reweighting.balanced import BalancedWeights


def test_the_printed_figure_is_reached() -> None:
    two = make_classification_da()
    labels = np.where(np.arange(100) < 3, two.answers, -1)
    model = Adapted(BalancedWeights(gamma=0.5), RidgeClassifier(), target_labels=True)
    model.fit(
        np.vstack([two.source, two.target]), np.append(two.targets, labels), sample_domain=np.repeat([1, -1], 100)
    )
    assert model.score(two.target, two.answers) == pytest.approx(0.93)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.integers(1, 100))
def test_each_task_has_its_share_of_the_say(gamma: float, known: int) -> None:
    aligned = BalancedWeights(gamma=gamma)(make_classification_da().domains(known=known))
    assert aligned.weights is not None
    assert len(aligned.source) == len(aligned.targets) == len(aligned.weights) == 100 + known
    assert aligned.weights.mean() == pytest.approx(1)
    assert aligned.weights[100:].sum() == pytest.approx(gamma * (100 + known))
    assert np.ptp(aligned.weights[:100]) == 0


def test_the_ends_are_the_source_alone_and_the_labelled_target_rows_alone() -> None:
    two = make_regression_da()
    domains = two.domains(known=30, classes=0)
    for gamma, rows, answers in ((0.0, two.source, two.targets), (1.0, two.target[:30], two.answers[:30])):
        got = BalancedWeights(gamma=gamma)(domains)
        model = LinearRegression().fit(got.source, got.targets, sample_weight=got.weights)
        np.testing.assert_allclose(model.coef_, LinearRegression().fit(rows, answers).coef_)


def test_weights_of_source_rows_are_kept_within_their_share() -> None:
    domains = make_classification_da().domains(known=10)._replace(weights=np.linspace(0, 6, 100))
    got = BalancedWeights(gamma=0.25)(domains)
    assert got.weights is not None
    np.testing.assert_allclose(got.weights[:100] / got.weights[99], np.linspace(0, 1, 100), atol=1e-12)
    assert got.weights[:100].sum() == pytest.approx(0.75 * 110)
    assert got.facts["labelled"] == 10


@pytest.mark.parametrize("gamma", [-0.1, 1.1, np.nan])
def test_a_share_that_is_none_is_refused(gamma: float) -> None:
    with pytest.raises(ValueError, match=r"gamma is .*: expected 0"):
        BalancedWeights(gamma=gamma)(make_classification_da().domains(known=3))


def test_without_labels_of_the_target_it_is_said_what_to_do() -> None:
    domains = make_classification_da().domains(known=3)
    with pytest.raises(ValueError, match="set target_labels=True"):
        BalancedWeights()(domains._replace(known=None))
    with pytest.raises(ValueError, match="no answer of the 100 target rows is known"):
        BalancedWeights()(domains._replace(known=np.full(100, -1)))
    X, y = np.vstack([domains.source, domains.target]), np.append(domains.targets, np.full(100, -1))
    with pytest.raises(ValueError, match="set target_labels=True"):
        Adapted(BalancedWeights(), LogisticRegression()).fit(X, y, sample_domain=np.repeat([1, -1], 100))
