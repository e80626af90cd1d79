"""Prototypes against distances to class means, written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from headstart.heads.prototypes import Prototypes
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def nearest_mean(z, targets, wanted):
    means = [z[targets == c].mean(axis=0) for c in np.unique(targets)]
    return np.unique(targets)[cdist(wanted, means).argmin(axis=1)]


@pytest.mark.parametrize("wide", [False, True])
def test_predictions_are_those_of_the_nearest_centroid(digits, mnist, wide):
    data = mnist.take(slice(0, 200)) if wide else digits
    fit = Prototypes()(data.features, data.targets, kind=CLASSIFICATION, classes=10, folds=data.folds)
    z = (data.features - fit.head.arrays["mean"]) / fit.head.arrays["scale"]
    expected = nearest_mean(z, data.targets, z)
    assert (fit.head.logits(data.features).argmax(axis=1) == expected).all()
    for fold in range(5):
        held = data.folds == fold
        expected = nearest_mean(z[~held], data.targets[~held], z[held])
        assert (fit.out_of_fold[held].argmax(axis=1) == expected).all()


def test_logits_are_half_the_mean_squared_distance_up_to_a_common_term(digits):
    data = digits.take(slice(0, 60))
    fit = Prototypes()(data.features, data.targets, kind=CLASSIFICATION, classes=10, folds=data.folds)
    z = (data.features - fit.head.arrays["mean"]) / fit.head.arrays["scale"]
    means = np.stack([z[data.targets == c].mean(axis=0) for c in range(10)])
    expected = -np.square(z[:, None] - means).mean(axis=2) / 2
    logits = fit.head.logits(data.features)
    np.testing.assert_allclose(logits - logits[:, :1], expected - expected[:, :1], atol=1e-5)


def test_one_row_a_class_is_enough():
    features = np.random.default_rng(0).standard_normal((6, 20)).astype(np.float32)
    fit = Prototypes()(features, np.arange(6), kind=CLASSIFICATION, classes=6, folds=np.arange(6))
    assert (fit.head.logits(features).argmax(axis=1) == np.arange(6)).all()
    assert np.isfinite(fit.out_of_fold).all()


def test_a_class_without_rows_is_never_predicted(digits):
    fit = Prototypes()(digits.features, digits.targets, kind=CLASSIFICATION, classes=12, folds=digits.folds)
    assert fit.head.logits(digits.features)[:, :10].argmax(axis=1).max() < 10
    assert (fit.head.logits(digits.features).argmax(axis=1) < 10).all()


def test_each_label_has_two_prototypes(penguins):
    labels = np.stack([penguins.targets == 1, penguins.targets == 2], axis=1).astype(np.uint8)
    fit = Prototypes()(penguins.features, labels, kind=MULTILABEL, classes=2, folds=penguins.folds)
    z = (penguins.features - fit.head.arrays["mean"]) / fit.head.arrays["scale"]
    for label in range(2):
        expected = nearest_mean(z, labels[:, label], z)
        assert ((fit.head.logits(penguins.features)[:, label] > 0) == expected).all()


def test_values_are_refused(penguins):
    with pytest.raises(ValueError, match="prototypes head answers classification and multilabel tasks, not regression"):
        Prototypes()(penguins.features, penguins.features[:, 0], kind=REGRESSION, classes=1, folds=penguins.folds)
