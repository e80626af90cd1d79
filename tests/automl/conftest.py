"""Real features and labels in the shapes that scores meet: many columns, rare classes, other types of labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from sklearn import datasets
from sklearn.preprocessing import StandardScaler


class Case(NamedTuple):
    """features (N, D) and labels (N,)."""

    features: np.ndarray
    labels: np.ndarray


def standardised(load) -> Case:
    features, labels = load(return_X_y=True)
    return Case(StandardScaler().fit_transform(features[:, features.std(axis=0) > 0]), labels)


def built() -> dict[str, Case]:
    iris, wine = standardised(datasets.load_iris), standardised(datasets.load_wine)
    cancer, digits = standardised(datasets.load_breast_cancer), standardised(datasets.load_digits)
    pixels, figures = datasets.load_digits(return_X_y=True)
    rng, third = np.random.default_rng(0), np.arange(30) % 3
    rare = np.r_[np.flatnonzero(cancer.labels == 1), np.flatnonzero(cancer.labels == 0)[:6]]
    names = np.array(["setosa", "Versicolor", "a b"])[iris.labels]
    return {
        "iris": iris,
        "wine": wine,
        "breast cancer": cancer,
        "digits": Case(digits.features[:400], digits.labels[:400]),
        "more columns than rows": Case(digits.features[:45], digits.labels[:45]),
        "many more columns": Case(rng.normal(size=(30, 300)) + 0.3 * np.eye(3)[third].repeat(100, 1), third),
        "constant columns": Case(pixels[:200], figures[:200]),
        "not standardised": Case(*datasets.load_wine(return_X_y=True)),
        "repeated columns": Case(np.hstack([wine.features, wine.features[:, ::-1]]), wine.labels),
        "a large offset": Case(wine.features + 1e6, wine.labels),
        "float32": Case(wine.features.astype(np.float32), wine.labels),
        "unbalanced": Case(cancer.features[rare], cancer.labels[rare]),
        "a class of one row": Case(iris.features[:101], iris.labels[:101]),
        "names": Case(iris.features, names),
        "gaps between labels": Case(wine.features, np.array([-3, 100, 7])[wine.labels]),
        "float labels": Case(wine.features, wine.labels.astype(np.float32)),
    }  # fmt: skip


CASES = built()


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """Each of the cases."""
    return CASES[request.param]


@pytest.fixture(scope="session")
def cases() -> dict[str, Case]:
    """All of them, by name."""
    return CASES
