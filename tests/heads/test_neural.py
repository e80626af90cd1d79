"""The small network: it learns, keeps its best epoch, and leaves everything else alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax

from headstart.heads.calibrate import calibrate
from headstart.heads.neural import Neural
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def fit(data, seed=0, **options):
    return Neural(hidden=64, **options)(
        data.features, data.targets, kind=CLASSIFICATION, classes=10, folds=data.folds, seed=seed
    )


def test_it_learns_digits(digits):
    found = fit(digits)
    assert np.mean(found.out_of_fold.argmax(axis=1) == digits.targets) > 0.9
    assert np.mean(found.head.logits(digits.features).argmax(axis=1) == digits.targets) > 0.95
    shapes = {name: array.shape for name, array in found.head.arrays.items() if "." in name}
    assert shapes == {"weight.0": (64, 64), "bias.0": (64,), "weight.1": (64, 10), "bias.1": (10,)}


def test_the_same_seed_gives_the_same_head_and_another_seed_another(digits):
    data = digits.take(slice(0, 150))
    first, again, other = fit(data, epochs=3), fit(data, epochs=3), fit(data, epochs=3, seed=1)
    for name, array in first.head.arrays.items():
        np.testing.assert_array_equal(array, again.head.arrays[name])
    assert not np.array_equal(first.out_of_fold, other.out_of_fold)


def test_random_state_and_threads_are_left_alone(digits):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    state, threads = np.random.get_state()[1].copy(), torch.get_num_threads()
    fit(digits.take(slice(0, 60)), epochs=2)
    assert torch.equal(torch.rand(3), expected)
    assert (np.random.get_state()[1] == state).all()
    assert torch.get_num_threads() == threads


def test_the_best_epoch_is_kept_and_not_the_last(digits):
    data = digits.take(slice(0, 300))
    found = fit(data, patience=6, rate=1e-2)
    losses = found.head.facts.account["losses"]
    assert found.head.facts.account["epoch"] == np.argmin(losses) + 1 < len(losses)
    assert calibrate(found.out_of_fold, data.targets, CLASSIFICATION).loss == pytest.approx(min(losses))


def test_held_out_rows_do_not_teach_the_network_that_answers_for_them(digits):
    data = digits.take(slice(0, 200))
    liar = data._replace(targets=np.random.default_rng(0).permutation(data.targets))
    assert np.mean(fit(liar).out_of_fold.argmax(axis=1) == liar.targets) < 0.25


def test_an_untrained_head_is_at_chance(digits):
    found = fit(digits, epochs=1, rate=0.0)
    assert np.mean(found.out_of_fold.argmax(axis=1) == digits.targets) < 0.3
    assert softmax(found.out_of_fold, axis=1).max() < 0.5


def test_body_mass_of_penguins(penguins):
    measures, mass = penguins.features[:, :3], penguins.features[:, 3].astype(np.float64)
    found = Neural(hidden=64, batch=16)(measures, mass, kind=REGRESSION, classes=1, folds=penguins.folds)
    assert 1 - np.var(mass - found.out_of_fold[:, 0]) / np.var(mass) > 0.7
    assert 1 - np.var(mass - found.head.predict(measures)) / np.var(mass) > 0.7


def test_several_labels(penguins):
    labels = np.stack([penguins.targets == 1, penguins.targets == 2], axis=1).astype(np.uint8)
    found = Neural(hidden=64)(penguins.features, labels, kind=MULTILABEL, classes=2, folds=penguins.folds)
    assert np.mean((found.out_of_fold > 0) == labels) > 0.95


def test_values_that_never_change(penguins):
    found = Neural(hidden=8, epochs=3)(
        penguins.features, np.full(342, 7.0), kind=REGRESSION, classes=1, folds=penguins.folds
    )
    np.testing.assert_allclose(found.head.predict(penguins.features), 7.0, atol=1.5)


def test_more_folds_than_five_are_merged(digits):
    data = digits.take(slice(0, 100))
    found = fit(data._replace(folds=np.arange(100)))
    assert found.out_of_fold.shape == (100, 10)
