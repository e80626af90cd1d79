"""What is refused before any work is done, and in which words."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.heads.fitter import Posed, pose
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

FEATURES = np.arange(12, dtype=np.float32).reshape(6, 2)
CODES = np.array([0, 1, 0, 1, 0, 1])
FOLDS = np.array([0, 0, 1, 1, 2, 2])


def posed(features=FEATURES, targets=CODES, kind=CLASSIFICATION, classes=2, folds=FOLDS, **options):
    return pose(features, targets, kind=kind, classes=classes, folds=folds, **options)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features": FEATURES[:, 0]}, r"features must be an \(N, D\) array with D > 0, got shape \(6,\)"),
        ({"features": FEATURES[:, :0]}, r"got shape \(6, 0\)"),
        ({"features": FEATURES[:1], "targets": [0], "folds": [0]}, "at least 2 rows, got 1"),
        ({"targets": CODES[:4]}, r"must have as many rows: got shapes \(6, 2\), \(4,\) and \(6,\)"),
        ({"folds": np.zeros(6)}, "all rows are in one fold"),
        ({"features": np.full((6, 2), np.nan)}, "6 of 6 rows hold NaN, infinity"),
        ({"targets": np.zeros(6)}, "all 6 rows are of one class: a classifier needs at least two"),
        ({"targets": CODES + 1}, r"codes from 0 to 1"),
        ({"targets": CODES - 1}, r"codes from 0 to 1"),
        ({"targets": CODES + 0.5}, r"codes from 0 to 1"),
        ({"targets": np.full(6, np.inf), "kind": REGRESSION}, "must be .* finite numbers"),
        ({"targets": np.eye(6), "kind": REGRESSION}, r"finite numbers, got shape \(6, 6\)"),
        ({"targets": CODES, "kind": MULTILABEL}, r"must be \(N, 2\) of 0 and 1, got \(6,\)"),
        ({"targets": np.full((6, 2), 3), "kind": MULTILABEL}, "of 0 and 1"),
        ({"targets": np.ones((6, 2)), "kind": MULTILABEL}, "all rows have the same labels"),
        ({"kind": "ranking"}, "kind must be 'classification', 'regression' or 'multilabel', got 'ranking'"),
        ({"class_weight": "even"}, "class_weight must be None, 'balanced'"),
    ],
)
def test_what_is_wrong_is_said(changes, words):
    with pytest.raises(ValueError, match=words):
        posed(**changes)


def test_order_depends_on_content_alone():
    moved = [4, 2, 5, 0, 1, 3]
    first, second = posed(), posed(FEATURES[moved], CODES[moved], folds=FOLDS[moved])
    assert (FEATURES[first.order] == FEATURES[moved][second.order]).all()
    assert (first.targets == second.targets).all()
    assert (first.folds == second.folds).all()


def test_names_of_folds_do_not_matter():
    assert (posed().folds == posed(folds=np.array(["c", "c", "a", "a", "b", "b"])).folds).all()


def test_features_are_not_copied():
    assert np.shares_memory(posed().features, FEATURES)
    assert posed(features=FEATURES.astype(np.float16)).features.dtype == np.float32
    assert posed(features=FEATURES.astype(np.int64)).features.dtype == np.float32
    assert posed(features=FEATURES.astype(np.float64)).features.dtype == np.float64


def test_a_fitter_must_propose():
    with pytest.raises(TypeError, match="abstract method"):
        Posed()
