"""The losses of the labels against torch and against the formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from headstart.losses.supervised import Supervised
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

LOGITS = torch.randn(9, 4, generator=torch.Generator().manual_seed(0)) * 3
CODES = torch.arange(9) % 4


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_label_smoothing_is_torchs_and_the_formula(smoothing):
    found = Supervised(label_smoothing=smoothing).each(LOGITS, CODES, CLASSIFICATION)
    whole = functional.cross_entropy(LOGITS, CODES, label_smoothing=smoothing)
    assert found.shape == (9,)
    assert found.mean().item() == pytest.approx(whole.item(), rel=1e-6)
    q = (1 - smoothing) * np.eye(4)[CODES] + smoothing / 4
    logits = LOGITS.double().numpy()
    expected = -(q * (logits - np.log(np.exp(logits).sum(1, keepdims=True)))).sum(1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_many_labels_are_a_mean_of_binary_losses():
    targets = (LOGITS + 1 > 0).long()
    p = 1 / (1 + np.exp(-LOGITS.double().numpy()))
    expected = -np.where(targets, np.log(p), np.log(1 - p)).mean(1)
    np.testing.assert_allclose(Supervised().each(LOGITS, targets, MULTILABEL), expected, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64])
def test_regression_is_the_squared_error(dtype):
    targets = torch.arange(9).to(dtype)
    found = Supervised().each(LOGITS[:, :1], targets, REGRESSION)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, (LOGITS[:, 0].numpy() - np.arange(9)) ** 2, rtol=1e-5)


def test_the_loss_of_halves_is_calculated_in_float32():
    assert Supervised().each(LOGITS.bfloat16(), CODES, CLASSIFICATION).dtype == torch.float32


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan")])
def test_a_smoothing_that_is_none_is_refused(value):
    with pytest.raises(ValueError, match=r"label_smoothing = .*: expected 0 or more, and less than 1"):
        Supervised(label_smoothing=value)


@pytest.mark.parametrize("name", ["l1", "l2"])
@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_a_weight_below_nothing_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} = .*: expected 0 or more"):
        Supervised(**{name: value})
