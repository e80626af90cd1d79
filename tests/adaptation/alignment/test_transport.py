"""Transport against skada, its three plans and batches, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from skadas import skada
from sklearn.linear_model import RidgeClassifier
from two_tasks import make_classification_da, make_regression_da

from headstart.adaptation.alignment.step import Align, Domains
from headstart.adaptation.alignment.transport import Transport
from headstart.adaptation.estimators.adapted import Adapted

pytestmark = pytest.mark.usefixtures("routed")

DRAW = np.random.default_rng(4)
SOURCE, TARGET = DRAW.normal(size=(40, 3)), DRAW.normal(size=(40, 3)) + np.array([4, 0, 0])
ANSWERS = (SOURCE[:, 1] > 0).astype(int)


def domains(source=SOURCE, target=TARGET, weights=None):
    return Domains(source, (source[:, 1] > 0).astype(int), target, None, 2, weights)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Transport(plan="emd"), skada.OTMapping(RidgeClassifier())),
        (Transport(plan="sinkhorn", reg=1, unit="none"), skada.EntropicOTMapping(RidgeClassifier(), reg_e=1)),
        (
            Transport(plan="class", reg=1, group=0.3, unit="none"),
            skada.ClassRegularizerOTMapping(RidgeClassifier(), reg_e=1, reg_cl=0.3),
        ),
    ],
)
def test_predictions_are_skadas(ours, theirs):
    x, y = np.concatenate([SOURCE, TARGET]), np.concatenate([ANSWERS, np.full(40, -1)])
    domain = np.repeat([1, -2], 40)
    theirs.fit(x, y, sample_domain=domain)
    ours = Adapted(ours, RidgeClassifier()).fit(x, y, sample_domain=domain)
    new = np.random.default_rng(5).normal(size=(300, 3)) * 2 + np.array([4, 0, 0])
    np.testing.assert_array_equal(ours.predict(new), theirs.predict(new, sample_domain=np.full(300, -2)))


def test_exact_transport_of_as_many_rows_pairs_them_up():
    aligned = Transport(plan="emd")(domains())
    partner = linear_sum_assignment(cdist(SOURCE, TARGET, "sqeuclidean"))[1]
    np.testing.assert_allclose(aligned.source, TARGET[partner])
    assert aligned.facts["cost"] == pytest.approx(np.mean(np.sum((SOURCE - TARGET[partner]) ** 2, axis=1)))
    assert aligned.move(TARGET) is TARGET
    assert isinstance(Transport(), Align)


def test_a_class_that_moves_is_followed():
    two = make_classification_da()
    for plan in ("emd", "sinkhorn", "class"):
        aligned = Transport(plan=plan)(two.domains())
        head = RidgeClassifier().fit(aligned.source, aligned.targets)
        assert head.score(two.target, two.answers) > 0.88


def test_the_unit_makes_the_scale_of_features_no_matter():
    for plan in ("sinkhorn", "class"):
        near, far = (Transport(plan=plan)(domains(SOURCE * size, TARGET * size)) for size in (1, 1e4))
        np.testing.assert_allclose(far.source, near.source * 1e4, rtol=1e-5)


def test_batches():
    whole = Transport(batch=40, rounds=1)(domains())
    np.testing.assert_allclose(whole.source, Transport()(domains()).source)
    parts = Transport(plan="emd", batch=15, rounds=4)(domains())
    assert parts.facts["plans"] == 12
    assert np.linalg.norm(parts.source.mean(0) - TARGET.mean(0)) < 0.4
    np.testing.assert_array_equal(parts.source, Transport(plan="emd", batch=15, rounds=4)(domains()).source)
    assert (parts.source != Transport(plan="emd", batch=15, rounds=4, seed=1)(domains()).source).any()


def test_rows_without_weight_pull_nothing_and_stay():
    weights = np.repeat([0.0, 2.0], 20)
    for batch in (None, 4):
        aligned = Transport(plan="emd", batch=batch)(domains(weights=weights))
        if batch is None:
            np.testing.assert_allclose(aligned.source[:20], SOURCE[:20])
            np.testing.assert_allclose(aligned.source[20:], Transport(plan="emd")(domains(SOURCE[20:])).source)
        assert np.isfinite(aligned.source).all()


def test_one_target_row_fewer_rows_than_features_and_identical_tasks():
    np.testing.assert_allclose(Transport()(domains(SOURCE, TARGET[:1])).source, np.repeat(TARGET[:1], 40, axis=0))
    assert np.isfinite(Transport(plan="class")(domains(SOURCE[:2], TARGET[:2])).source).all()
    assert Transport()(domains(SOURCE, SOURCE.copy())).facts == {"identical": True}
    points = np.zeros((3, 3)), np.zeros((2, 3))
    np.testing.assert_array_equal(Transport()(domains(*points)).source, points[0])


def test_a_plan_that_has_not_settled_is_refused():
    with pytest.raises(ValueError, match=r"reg=1e-17 is too small.*00% of the mass.*such as reg=4e-17, or plan="):
        Transport(reg=1e-17)(domains(SOURCE[:3], TARGET[:2]))


def test_bad_input():
    assert Transport().memory(10_000, 10_000) == 96e8
    assert Transport(batch=1000).memory(10**6, 10**6) == 96e6
    assert Transport(plan="emd").memory(1000, 10) == 48e4
    with pytest.raises(ValueError, match=r"a plan between 40 and 40 rows would take 0.0 GB, above .*: set batch=1000"):
        Transport(limit=1e-4)(domains())
    with pytest.raises(ValueError, match=r"plan='class' needs classes, but this is regression: expected plan="):
        Transport(plan="class")(make_regression_da().domains(classes=0))
    for option, bad, words in (
        ("plan", "greedy", "one of 'emd', 'sinkhorn', 'class'"),
        ("unit", "max", "one of 'median', 'none'"),
        ("reg", 0, "finite number, more than 0"),
        ("group", float("nan"), "finite number, 0 or more"),
        ("limit", 0, "finite number, more than 0"),
        ("batch", 1, "whole number, 2 or more"),
        ("rounds", 0, "whole number, 1 or more"),
    ):
        with pytest.raises(ValueError, match=f"{option}=.*expected {'' if 'one' in words else 'a '}{words}"):
            Transport(**{option: bad})
