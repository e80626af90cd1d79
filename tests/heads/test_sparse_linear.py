"""Heads on sparse rows against scikit-learn's on dense ones, classes that are missing, and weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss

from headstart.heads.fitter import pose_answers
from headstart.heads.head import Head
from headstart.heads.sparse_linear import fit_sparse
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.goal import Aim

RNG = np.random.default_rng(0)
X = sparse.csr_array(RNG.random((150, 40)) * (RNG.random((150, 40)) < 0.2))
TRUTH = X.toarray() @ RNG.normal(size=(40, 3))
CODES = (TRUTH + RNG.gumbel(size=TRUTH.shape)).argmax(axis=1)
FOLDS = np.arange(150) % 5


def fit(targets: Any, kind: Any = CLASSIFICATION, classes: int = 3, **more: Any) -> Any:
    return fit_sparse(X, targets, name="tf-idf", kind=kind, classes=classes, folds=FOLDS, **more)


@pytest.mark.parametrize(("targets", "classes"), [(CODES, 3), (CODES % 2, 2)])
def test_classes(targets: np.ndarray, classes: int) -> None:
    """At the strength that was taken, the head is scikit-learn's at a temperature."""
    made = fit(targets, classes=classes)
    strength = made.head.facts.account["strength"]
    dense = LogisticRegression(C=strength, max_iter=5000, tol=1e-8).fit(X.toarray(), targets)
    logits = made.head.logits(X)
    p = softmax(logits, axis=1)
    np.testing.assert_allclose(p, dense.predict_proba(X.toarray()), atol=0.03)
    np.testing.assert_allclose(made.head.predict(X), softmax(logits / made.head.temperature, axis=1))


def test_sparse_and_dense_rows_give_the_same_logits() -> None:
    for made in (fit(CODES, aim=Aim("balanced_accuracy")), fit(TRUTH[:, 0], REGRESSION, 1)):
        np.testing.assert_allclose(made.head.logits(X), made.head.logits(X.toarray()), atol=1e-12)


def test_values() -> None:
    made = fit(TRUTH[:, 0] * 1e6 + 1e9, REGRESSION, 1)
    dense = Ridge(alpha=1 / made.head.facts.account["strength"]).fit(X.toarray(), TRUTH[:, 0] * 1e6 + 1e9)
    found = made.head.predict(X)
    assert found.shape == (150,)
    assert np.corrcoef(found, dense.predict(X.toarray()))[0, 1] > 0.999
    assert made.out_of_fold.shape == (150, 1)


def test_labels_one_of_which_never_differs() -> None:
    targets = np.stack([CODES == 0, np.ones(150), np.zeros(150)], axis=1).astype(np.uint8)
    p = fit(targets, MULTILABEL).head.predict(X)
    assert log_loss(targets[:, 0], p[:, 0]) < 0.5
    assert p[:, 1].min() > 0.95
    assert p[:, 2].max() < 0.05


def test_a_class_without_rows_is_answered_next_to_never() -> None:
    made = fit(np.where(CODES == 1, 0, CODES), classes=4)
    p = made.head.predict(X)
    assert p.shape == (150, 4)
    assert p[:, [1, 3]].max() < 0.05
    assert np.isfinite(made.out_of_fold).all()


def test_a_class_in_one_fold_only() -> None:
    """No fit to the other folds can know it."""
    made = fit(np.where(FOLDS == 2, 2, CODES % 2))
    assert np.isfinite(made.head.predict(X)).all()


def test_one_class_only_is_refused() -> None:
    with pytest.raises(ValueError, match="all 150 rows are of one class"):
        fit(np.zeros(150, np.int64))


def test_out_of_fold_rows_are_answered_by_fits_without_them() -> None:
    made = fit(CODES)
    strength = made.head.facts.account["strength"]
    out = np.empty((150, 3))
    for fold in range(5):
        held_out = np.arange(150) % 5 == fold
        dense = LogisticRegression(C=strength, max_iter=5000, tol=1e-8)
        dense.fit(X.toarray()[~held_out], CODES[~held_out])
        out[held_out] = dense.predict_proba(X.toarray()[held_out])
    np.testing.assert_allclose(softmax(made.out_of_fold, axis=1), out, atol=0.05)


def test_rows_of_no_weight_are_as_good_as_not_there() -> None:
    """Be their answers never so wrong."""
    counts = np.arange(150) % 3 > 0
    wrong = np.where(counts, CODES, (CODES + 1) % 3)
    rows = np.flatnonzero(counts)
    weighed = fit(wrong, weights=counts.astype(float))
    alone = fit_sparse(X[rows], CODES[rows], name="x", kind=CLASSIFICATION, classes=3, folds=FOLDS[rows])
    assert np.corrcoef(weighed.head.logits(X).ravel(), alone.head.logits(X).ravel())[0, 1] > 0.98


def test_class_weights_move_the_answers() -> None:
    plain, rare = fit(CODES), fit(CODES, class_weight={2: 9.0})
    assert (rare.head.predict(X).argmax(axis=1) == 2).sum() > (plain.head.predict(X).argmax(axis=1) == 2).sum()


def test_a_head_of_more_than_one_layer_takes_no_sparse_rows() -> None:
    arrays = {"mean": np.zeros(2), "scale": np.ones(2), "weight.0": np.ones((2, 2)), "bias.0": np.zeros(2)}
    rows = sparse.csr_array(np.eye(2))
    more = [Head(name="two", kind=CLASSIFICATION, arrays=arrays | {"weight.1": np.ones((2, 2)), "bias.1": np.ones(2)})]
    more.append(Head(name="root", kind=CLASSIFICATION, arrays=arrays, form="root"))
    for head in more:
        with pytest.raises(ValueError, match=f"the {head.name} head is more than one linear layer"):
            head.logits(rows)
    moved = Head(name="moved", kind=CLASSIFICATION, arrays=arrays | {"mean": np.ones(2), "scale": np.array([2.0, 3])})
    np.testing.assert_allclose(moved.logits(rows), moved.logits(rows.toarray()))


def test_rows_without_features_have_no_axes() -> None:
    problem = pose_answers(CODES, kind=CLASSIFICATION, classes=3, folds=FOLDS)
    with pytest.raises(TypeError, match="rows without features have no principal axes"):
        _ = problem.basis
