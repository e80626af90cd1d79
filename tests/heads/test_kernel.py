"""The kernel head against scikit-learn's kernel ridge, and what it must survive."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.kernel_ridge import KernelRidge

from headstart.heads.head import Head
from headstart.heads.kernel import Kernel
from headstart.heads.layers import radial
from headstart.heads.select import fit_probe
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def moons(count=200, seed=0):
    x, y = make_moons(count, noise=0.15, random_state=seed)
    return x, y


def fitted(x, y, kind=CLASSIFICATION, classes=2, **options):
    return Kernel(**options)(x, y, kind=kind, classes=classes, folds=np.arange(len(x)) % 5)


def test_values_are_those_of_kernel_ridge_with_all_rows_as_landmarks():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3))
    y = np.sin(2 * x[:, 0]) + x[:, 1] + rng.normal(size=80)
    fit = fitted(x, y, REGRESSION, 1, landmarks=80)
    z = ((x - fit.head.arrays["mean"]) / fit.head.arrays["scale"]).astype(np.float32)
    gamma = float(fit.head.arrays["gamma"][0])
    new = rng.normal(size=(20, 3))
    centre = np.eye(80) - 1 / 80  # the intercept is free, so that the kernel is that of rows less their mean
    K = radial(z, z, gamma)
    centred = centre @ K @ centre
    alpha = fit.head.facts.account["strength"] * np.trace(centred) / 80
    r = np.linalg.matrix_rank(K, tol=1e-7 * np.linalg.eigvalsh(K)[-1], hermitian=True)
    model = KernelRidge(kernel="precomputed", alpha=alpha / r).fit(centred, y - y.mean())
    at = radial((new - fit.head.arrays["mean"]) / fit.head.arrays["scale"], z, gamma)
    np.testing.assert_allclose(
        fit.head.predict(new), model.predict((at - K.mean(axis=0)) @ centre) + y.mean(), atol=1e-3
    )


def test_it_bends_where_a_line_cannot():
    x, y = moons()
    new, truth = moons(seed=1)
    kernel = fit_probe(x, y, kind=CLASSIFICATION, classes=2, folds=np.arange(200) % 5, heads=("kernel",)).head
    linear = fit_probe(x, y, kind=CLASSIFICATION, classes=2, folds=np.arange(200) % 5, heads=("logistic",)).head
    accuracy = [float((head.predict(new).argmax(axis=1) == truth).mean()) for head in (kernel, linear)]
    assert accuracy[0] > 0.96 > accuracy[1] + 0.05


def test_few_landmarks_are_near_to_all_of_them():
    x, y = moons(400)
    new, _ = moons(300, seed=2)
    some, every = (fitted(x, y, landmarks=count).head.predict(new) for count in (60, 400))
    assert (some.argmax(axis=1) == every.argmax(axis=1)).mean() > 0.97


def test_the_order_of_rows_does_not_matter():
    x, y = moons(500)
    turn = np.random.default_rng(0).permutation(500)
    folds = np.arange(500) % 5
    one = Kernel()(x, y, kind=CLASSIFICATION, classes=2, folds=folds)
    other = Kernel()(x[turn], y[turn], kind=CLASSIFICATION, classes=2, folds=folds[turn])
    np.testing.assert_allclose(one.head.logits(x), other.head.logits(x), atol=1e-6)
    np.testing.assert_allclose(one.out_of_fold[turn], other.out_of_fold, atol=1e-6)


def test_out_of_fold_rows_are_not_known():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 4)), rng.integers(0, 2, 120)
    fit = fitted(x, y, widths=(64.0,))
    assert 0.3 < float((fit.out_of_fold.argmax(axis=1) == y).mean()) < 0.7


@pytest.mark.parametrize("rows", [2, 3, 7])
def test_few_rows_and_rows_that_are_all_alike(rows):
    x = np.zeros((rows, 3))
    y = np.arange(rows) % 2
    assert np.isfinite(fitted(x, y).head.predict(np.ones((4, 3)))).all()
    x[:, 0] = np.arange(rows)
    assert np.isfinite(fitted(x, y).head.predict(x)).all()


def test_labels_of_a_row(digits):
    labels = np.stack([digits.targets > 4, digits.targets % 2 == 0], axis=1).astype(np.uint8)
    fit = Kernel()(digits.features, labels, kind=MULTILABEL, classes=2, folds=digits.folds)
    assert ((fit.out_of_fold > 0) == labels).mean() > 0.9


def test_a_turn_comes_before_everything():
    x, y = moons()
    head = fitted(x, y).head
    turn, shift = np.array([[0.0, 2.0], [-1.0, 0.5]]), np.array([3.0, -1.0])
    turned = Head(name="kernel", kind="classification", arrays=head.arrays | {"turn": turn, "shift": shift})
    np.testing.assert_allclose(turned.logits(x), head.logits(x @ turn + shift))
    assert (head.width, turned.width) == (2, 2)
