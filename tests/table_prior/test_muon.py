"""Muon: the singular values of an update, and a step against one written out."""

from __future__ import annotations

import torch

from headstart.table_prior.muon import Muon, orthogonal


def test_singular_values_come_near_one():
    update = torch.randn(3, 12, 5, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(update))
    assert 0.6 < float(values.min()) <= float(values.max()) < 1.3
    u, _, v = torch.linalg.svd(update, full_matrices=False)
    torch.testing.assert_close(orthogonal(u @ v), u @ v * values.mean(), atol=0.3, rtol=0)


def test_a_step_is_momentum_made_orthogonal():
    start = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    parameter = torch.nn.Parameter(start.clone())
    optimizer = Muon([parameter], lr=0.1, momentum=0.5, decay=0.2)
    momentum, expected = torch.zeros(4, 6), start.clone()
    for seed in (2, 3):
        gradient = torch.randn(4, 6, generator=torch.Generator().manual_seed(seed))
        parameter.grad = gradient.clone()
        optimizer.step()
        momentum = 0.5 * momentum + gradient
        update = orthogonal((gradient + 0.5 * momentum)[None])[0]
        expected = expected * (1 - 0.1 * 0.2) - 0.1 * 0.2 * 6**0.5 * update
    torch.testing.assert_close(parameter.detach(), expected)
