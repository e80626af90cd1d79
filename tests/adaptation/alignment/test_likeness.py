"""Likeness in closed form against likeness to every row."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from headstart.adaptation.alignment.likeness import Likeness
from headstart.adaptation.alignment.step import Align, Domains
from headstart.adaptation.alignment.transductive import Transductive
from headstart.adaptation.estimators.adapted import Adapted
from headstart.linalg import moments

DRAW = np.random.default_rng(3)
SOURCE, TARGET = DRAW.normal(size=(17, 3)), DRAW.normal(size=(12, 3)) + np.array([1, 0, 0])


def domains(source=SOURCE, target=TARGET, weights=None):
    return Domains(source, np.arange(len(source)) % 2, target, None, 2, weights)


@pytest.mark.parametrize("width", [3, 40])
def test_products_are_those_of_the_transductive_kernel(width, monkeypatch):
    monkeypatch.setattr(moments, "BLOCK", 5)
    draw = np.random.default_rng(4)
    two = domains(draw.normal(size=(17, width)), draw.normal(size=(12, width)))
    new = np.concatenate([two.target, draw.normal(size=(4, width))])
    ours, theirs = (
        np.concatenate([found.source, found.move(new)])
        for found in (Likeness()(two), Transductive(kernel="linear")(two))
    )
    assert ours.shape == (17 + 16, width)
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-9)


def test_the_root_is_that_of_the_second_moment():
    root = Likeness().root(domains())
    both = np.concatenate([SOURCE, TARGET])
    np.testing.assert_allclose(root @ root, both.T @ both / 29)
    np.testing.assert_allclose(root, root.T)


def test_length_one_whatever_the_scale_and_weights_are_kept():
    weights = np.linspace(0.5, 1.5, 17)
    found = Likeness()(domains(SOURCE * 1e6, TARGET * 1e6, weights))
    np.testing.assert_allclose(np.linalg.norm(found.source, axis=1), 1)
    np.testing.assert_allclose(found.source, Likeness()(domains()).source)
    assert found.weights is weights
    assert isinstance(Likeness(), Align)


def test_rows_of_zeros_no_rows_and_bad_input():
    found = Likeness()(domains(np.zeros((4, 3)), np.zeros((1, 3))))
    assert found.move(np.ones((2, 3))).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert found.move(TARGET[:0]).shape == (0, 3)
    with pytest.raises(ValueError, match="the same columns"):
        Likeness()(domains(SOURCE, TARGET[:, :2]))
    with pytest.raises(ValueError, match="the target has 0 rows"):
        Likeness()(domains(SOURCE, TARGET[:0]))


def test_an_ensemble_that_is_not_fitted_has_probabilities() -> None:
    draw = np.random.default_rng(0)
    X, domain = draw.normal(size=(60, 3)), np.repeat([1, -1], 30)
    model = Adapted(Likeness(), RandomForestClassifier(5, random_state=0)).fit(X, X[:, 0] > 0, sample_domain=domain)
    assert model.predict_proba(X).shape == (60, 2)
