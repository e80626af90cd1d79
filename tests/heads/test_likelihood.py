"""The likelihood's derivatives against torch's automatic ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from headstart.heads.likelihood import Likelihood, code_losses


def loss(z, truth, weights):
    if len(z) == 1:
        each = functional.binary_cross_entropy_with_logits(z[0], truth.expand_as(z)[0], reduction="none")
    else:
        each = -(torch.log_softmax(z, dim=0) * truth).sum(dim=0)
    return (each * weights).sum(dim=1)


@pytest.mark.parametrize("groups", [1, 4])
def test_value_gradient_and_curvature(groups):
    rng = np.random.default_rng(0)
    problems, rows = 3, 11
    z, u, d = 4 * rng.standard_normal((3, groups, problems, rows))
    codes = rng.integers(0, max(groups, 2), rows)
    truth = (codes[None, None] == (np.arange(groups)[:, None, None] if groups > 1 else 1)).astype(float)
    weights = rng.random((problems, rows)) * (rng.random((problems, rows)) > 0.3)
    likelihood = Likelihood(truth, weights)
    value, p = likelihood.value(z)
    at = torch.tensor(z, requires_grad=True)
    expected = loss(at, torch.tensor(truth), torch.tensor(weights))
    (slope,) = torch.autograd.grad(expected.sum(), at, create_graph=True)
    np.testing.assert_allclose(value, expected.detach(), rtol=1e-10)
    np.testing.assert_allclose(likelihood.residual(p), slope.detach(), atol=1e-12)
    for i, a in enumerate((u, d)):
        (bent,) = torch.autograd.grad((slope * torch.tensor(a)).sum(), at, retain_graph=True)
        for j, b in enumerate((u, d)):
            along = (bent.numpy() * b).sum(axis=(0, 2))
            np.testing.assert_allclose(likelihood.bends(p, u, d)[:, i, j], along, atol=1e-10)


def test_logits_of_any_size_are_no_trouble():
    for groups in (1, 2):
        value, p = Likelihood(np.ones((groups, 1, 1)) * (np.arange(groups) == 0)[:, None, None], np.ones((1, 1))).value(
            np.array([-1e4, 1e4][:groups]).reshape(groups, 1, 1)
        )
        assert np.isfinite(value).all()
        assert np.isfinite(p).all()


def test_the_losses_of_codes_are_torchs():
    logits, codes = np.random.default_rng(0).normal(size=(9, 4)), np.arange(9) % 4
    expected = functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(codes), reduction="none")
    np.testing.assert_allclose(code_losses(logits, codes), expected.numpy(), rtol=1e-12)
