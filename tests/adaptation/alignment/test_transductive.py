"""Similarities to rows of both tasks as features: the definition, few landmarks, the second round, and a pipeline."""

from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import RidgeClassifier, RidgeClassifierCV
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from headstart.adaptation.alignment.step import Align, Domains
from headstart.adaptation.alignment.transductive import Transductive
from headstart.adaptation.estimators.adapted import Adapted
from headstart.adaptation.estimators.string_kernel import StringKernel
from headstart.linalg import moments

DRAW = np.random.default_rng(4)
SOURCE, TARGET = DRAW.normal(size=(17, 3)), DRAW.normal(size=(12, 3)) + np.array([1, 0, 0])


def domains(source: Any = SOURCE, target: Any = TARGET, classes: int = 2, weights: Any = None) -> Domains:
    return Domains(source, np.arange(len(source)) % max(classes, 2), target, None, classes, weights)


@pytest.mark.parametrize("name", ["rbf", "linear", "cosine"])
def test_features_are_unit_rows_of_the_kernel_on_both_tasks(name: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "BLOCK", 5)
    found = Transductive(kernel=name, gamma=0.3)(domains())
    both = np.concatenate([SOURCE, TARGET])
    k = pairwise_kernels(both, metric=name, **({"gamma": 0.3} if name == "rbf" else {}))
    naive = np.array([row / np.sqrt(row @ row) for row in k])
    np.testing.assert_allclose(np.concatenate([found.source, found.move(TARGET)]), naive)
    np.testing.assert_array_equal(found.targets, np.arange(17) % 2)
    assert found.of is None


def test_a_gaussian_of_width_one_half_on_strings_is_the_papers() -> None:
    texts = ["one two", "two three", "three four", "four five", "five six", "six one"]
    k = StringKernel(embed=False).fit_transform(texts)
    phi = StringKernel().fit_transform(texts)
    found = Transductive(gamma=0.5)(Domains(phi[:4], np.array([0, 1, 0, 1]), phi[4:], None, 2))
    paper = np.exp(k - 1)
    paper /= np.linalg.norm(paper, axis=1, keepdims=True)
    np.testing.assert_allclose(np.concatenate([found.source, found.move(phi[4:])]), paper, atol=1e-9)


def test_all_as_landmarks_are_exact_and_few_bound_the_memory() -> None:
    exact = Transductive(gamma=0.3)(domains())
    np.testing.assert_array_equal(Transductive(gamma=0.3, landmarks=29)(domains()).source, exact.source)
    few = Transductive(gamma=0.3, landmarks=8)(domains())
    assert few.source.shape == (17, 8)
    assert few.facts["kernel_rows"] == 8
    assert Transductive(landmarks=100).memory(10_000, 10_000) < 0.02e9 < Transductive().memory(10_000, 10_000)
    draw = np.random.default_rng(0)
    many = Domains(draw.normal(size=(300, 2)), np.arange(300) % 2, draw.normal(size=(300, 2)), None, 2)
    near, whole = (Transductive(gamma=0.3, landmarks=p)(many).move(many.target) for p in (200, None))
    assert np.abs(near @ near.T - whole @ whole.T).mean() < 0.03


@pytest.mark.parametrize("weights", [None, np.arange(17) % 3 + 0.0])
def test_the_surest_target_rows_join_as_what_a_ridge_calls_them(weights: Any) -> None:
    plain = Transductive(gamma=0.3)(domains(classes=3, weights=weights))
    found = Transductive(gamma=0.3, added=0.5)(domains(classes=3, weights=weights))
    ridge = RidgeClassifierCV(alphas=np.logspace(-6, 3, 10)).fit(plain.source, plain.targets, weights)
    said = np.sort(ridge.decision_function(plain.move(TARGET)), axis=1)
    surest = np.argsort(said[:, -2] - said[:, -1])[:6]
    assert found.of is not None
    assert set(found.of[17:] - 17) == set(surest)
    np.testing.assert_array_equal(found.source, np.concatenate([plain.source, plain.move(TARGET[found.of[17:] - 17])]))
    np.testing.assert_array_equal(found.targets[17:], ridge.predict(found.source[17:]))
    assert found.facts["added"] == 6
    if weights is not None:
        np.testing.assert_array_equal(found.weights, np.append(weights, np.ones(6)))


def test_a_share_of_too_few_target_rows_adds_none() -> None:
    found = Transductive(gamma=0.3, added=0.3)(domains(SOURCE, TARGET[:1]))
    assert found.facts["added"] == 0
    assert len(found.source) == len(found.targets) == 17


def test_two_classes_are_surest_away_from_the_boundary() -> None:
    source = np.array([[-2.0], [-1.9], [1.9], [2.0]])
    found = Transductive(gamma=0.3, added=0.5)(
        Domains(source, np.array([0, 0, 1, 1]), np.array([[-2.0], [-0.1], [0.1], [2.0]]), None, 2)
    )
    assert found.of is not None
    assert found.of.tolist() == [0, 1, 2, 3, 4, 7]
    assert found.targets.tolist() == [0, 0, 1, 1, 0, 1]


def test_rows_without_a_common_feature_meet_over_rows_that_have_both(routed: None) -> None:
    """'wet' never stands in the source; in the target it stands with words that do, and alone where it counts."""
    source = ["rain pours", "rain falls", "sun shines", "sun burns"] * 3
    target = ["rain wet", "wet rain", "rain wet", "sun dry", "dry sun", "sun dry"] * 3 + ["wet", "dry"]
    y = np.array([0, 0, 1, 1] * 3 + [-1] * len(target))
    domain = np.repeat([1, -1], [len(source), len(target)])

    def said(align: Align | None) -> list[int]:
        head = Adapted(align, RidgeClassifier(alpha=1e-3)).set_fit_request(sample_domain=True)
        model = make_pipeline(StringKernel(3, 3), head)
        return model.fit(source + target, y, sample_domain=domain).predict(["wet", "dry"]).tolist()

    assert said(Transductive(kernel="linear")) == said(Transductive(gamma=0.5)) == [0, 1]
    alone = StringKernel(3, 3).fit(source).transform(["wet", "dry"])
    np.testing.assert_allclose(alone[:, :-1], 0)
    assert sklearn.get_config()["enable_metadata_routing"]


def test_with_any_head_and_identical_tasks() -> None:
    y, domain = np.append(np.arange(17) % 2, np.full(17, -1)), np.repeat([1, -1], 17)
    X = np.concatenate([SOURCE, SOURCE + 1])
    model = Adapted(Transductive(), SVC()).fit(X, y, sample_domain=domain)
    assert model.predict(SOURCE).shape == (17,)
    assert Transductive()(domains(SOURCE, SOURCE.copy())).facts["kernel_rows"] == 34


def test_one_target_row_constant_features_and_rows_of_zeros() -> None:
    for name in ("rbf", "linear", "cosine"):
        found = Transductive(kernel=name)(domains(np.zeros((4, 3)), np.zeros((1, 3))))
        assert np.isfinite(found.source).all()
        assert np.isfinite(found.move(np.ones((2, 3)))).all()
        assert found.move(TARGET[:0]).shape == (0, 5)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"similarities of 29 rows to 29 would take 0.0 GB, above .*landmarks=1000"):
        Transductive(limit=1e-6)(domains())
    with pytest.raises(ValueError, match=r"added=0.3 takes rows as the classes .* regression: set added=0"):
        Transductive(added=0.3)(domains(classes=0))
    with pytest.raises(ValueError, match="the target has 0 rows"):
        Transductive()(domains(SOURCE, TARGET[:0]))
    with pytest.raises(ValueError, match=r"added=1.5: expected a share from 0 to 1"):
        Transductive(added=1.5)
    for option, bad, words in (
        ("kernel", "poly", "one of 'rbf', 'linear', 'cosine'"),
        ("gamma", 0, "finite number, more than 0"),
        ("landmarks", 1, "whole number, 2 or more"),
        ("added", float("nan"), "finite number, 0 or more"),
        ("limit", -1, "finite number, more than 0"),
    ):
        with pytest.raises(ValueError, match=f"{option}=.*expected.*{words}"):
            Transductive(**{option: bad})
