"""The checks: deletion curves of games whose order is known, and maps of random weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headstart.explanations.deletion import deletion
from headstart.explanations.explain import case_of, explain
from headstart.explanations.occlusion import occlusion, windows_of
from headstart.explanations.question import Question
from headstart.explanations.randomisation import randomisation, randomised, rank_correlation
from headstart.features.extraction import Extraction
from headstart.tasks import CLASSIFICATION, REGRESSION

VALUE = Question(kind=REGRESSION, code=0)


class Sum:
    """Parts whose values add up."""

    shape = None

    def __init__(self, *weights):
        self.weights = np.array(weights)
        self.parts = tuple(map(str, range(len(weights))))

    def ask(self, kept):
        return kept @ self.weights


def test_the_curve_falls_as_the_parts_are_taken_away():
    curve = deletion(Sum(1.0, 4.0, 2.0, 0.0), VALUE, np.array([1.0, 4.0, 2.0, 0.0]), orders=40)
    np.testing.assert_allclose(curve.share, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(curve.curve, [7, 3, 1, 0, 0])
    assert curve.area == pytest.approx(0.25 * (3.5 + 3 + 1 + 0))
    assert curve.better
    assert curve.beaten > 0.8


def test_the_worst_order_is_no_better_than_random():
    curve = deletion(Sum(1.0, 4.0, 2.0, 0.0), VALUE, -np.array([1.0, 4.0, 2.0, 0.0]))
    assert not curve.better
    assert curve.beaten == 0.0
    with pytest.raises(ValueError, match="one for each of the 4 parts"):
        deletion(Sum(1.0, 4.0, 2.0, 0.0), VALUE, np.zeros(3))
    with pytest.raises(ValueError, match="orders = 0: expected at least 1"):
        deletion(Sum(1.0, 4.0), VALUE, np.zeros(2), orders=0)


def test_occlusion_of_a_sum_is_its_terms():
    np.testing.assert_allclose(occlusion(Sum(1.0, -4.0, 2.0), VALUE).values, [1.0, -4.0, 2.0])


def test_windows_hold_every_part_and_overlap():
    windows = windows_of(25, (5, 5), 3)
    assert windows.any(0).all()
    assert windows.sum(1).max() == 9
    assert windows.reshape(-1, 5, 5)[:, 2, 2].sum() == 9


def test_rank_correlation_is_spearmans():
    assert rank_correlation(np.array([1.0, 2, 3]), np.array([10.0, 20, 90])) == pytest.approx(1.0)
    assert rank_correlation(np.array([1.0, 2, 3]), np.array([9.0, 8, 1])) == pytest.approx(-1.0)
    assert rank_correlation(np.array([1.0, 2, 3]), np.zeros(3)) == 0.0
    assert rank_correlation(np.array([1.0, 2, 2, 4]), np.array([3.0, 1, 2, 4])) == pytest.approx(0.3162277, abs=1e-6)


def test_random_weights_leave_the_model_as_it_was(pictures):
    model = pictures.model_
    before = {name: weights.clone() for name, weights in model.backbone.module.state_dict().items()}
    other = randomised(model, seed=3, whole=True)
    after = model.backbone.module.state_dict()
    assert all(bool((after[name] == before[name]).all()) for name in before)
    assert not np.array_equal(other.head.arrays["weight.0"], model.head.arrays["weight.0"])
    assert not bool((other.backbone.module.net[0].weight == before["net.0.weight"]).all())
    np.testing.assert_array_equal(randomised(model, seed=3).head.arrays["weight.0"], other.head.arrays["weight.0"])


def test_a_map_that_ignores_the_model_is_found_out(pictures, picture):
    """A map of edges does not change with the weights; a map of gradients does."""
    model, question = pictures.model_, Question(kind=CLASSIFICATION, code=0)
    case = case_of(model, picture, Extraction(engine="torch"))
    gradients = case.ways["integrated-gradients"](question)

    def again(other):
        return case_of(other, picture, Extraction(engine="torch")).ways["integrated-gradients"](question)

    steps = np.abs(np.diff(case.pixels.mean(2), axis=0, prepend=0)).ravel()
    edges = gradients._replace(values=steps[: len(case.parts)])
    assert not randomisation(model, lambda other: edges, edges.values).changed
    assert randomisation(model, again, gradients.values).all < 0.9


def test_an_average_of_models_is_asked_as_a_whole(pictures, picture):
    from headstart.artefact.model import Member

    model = pictures.model_
    other = replace(model, head=replace(model.head, arrays=model.head.arrays | {"bias.0": np.array([3.0, 0, 0])}))
    both = pictures.hold(replace(model, beside=(Member(0.25, other),)))
    explanation = explain(both, [picture], how="occlusion", check=False)[0]
    assert explanation.how == "occlusion"
    with pytest.raises(ValueError, match="it averages 2 models"):
        explain(both, [picture], how="grad-cam")
