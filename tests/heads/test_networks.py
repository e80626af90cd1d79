"""Networks side by side against one torch module each."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from headstart.heads.networks import Networks, row_losses
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def test_each_network_computes_what_a_module_would():
    networks = Networks(3, (5, 7, 2), torch.Generator().manual_seed(0))
    x = torch.rand(4, 5)
    for m in range(3):
        module = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2))
        with torch.no_grad():
            module[0].weight.copy_(networks.weights[0][:, 7 * m : 7 * m + 7].T)
            module[0].bias.copy_(networks.biases[0][7 * m : 7 * m + 7])
            module[2].weight.copy_(networks.weights[1][m].T)
            module[2].bias.copy_(networks.biases[1][m, 0])
        torch.testing.assert_close(networks(x)[m], module(x))
    last = networks.last()
    assert (last["weight.0"] == module[0].weight.detach().numpy().T).all()
    assert (last["bias.1"] == module[2].bias.detach().numpy()).all()


def test_dropout_keeps_the_mean_and_differs_between_networks():
    networks = Networks(2, (5, 4000, 1), torch.Generator().manual_seed(0))
    with torch.no_grad():
        for tensor in (*networks.weights, *networks.biases):
            tensor.fill_(0.01)
        x = torch.ones(3, 5)
        dropped = networks(x, 0.5)
    torch.testing.assert_close(dropped, networks(x).detach(), rtol=0.1, atol=0)
    assert len(dropped.unique()) > 1


@pytest.mark.parametrize("kind", [CLASSIFICATION, MULTILABEL, REGRESSION])
def test_losses_are_those_of_torch_row_by_row(kind):
    torch.manual_seed(0)
    z = torch.randn(2, 6, 3)
    targets = torch.randint(0, 3, (6,)) if kind == CLASSIFICATION else torch.rand(6, 3).round()
    losses = row_losses(z, targets, kind)
    each = {
        CLASSIFICATION: functional.cross_entropy,
        MULTILABEL: functional.binary_cross_entropy_with_logits,
        REGRESSION: functional.mse_loss,
    }[kind]
    for m in range(2):
        for row in range(6):
            torch.testing.assert_close(losses[m, row], each(z[m, row], targets[row]))
