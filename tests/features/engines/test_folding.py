"""Norms folded into convolutions: the same function without them, and nothing where that cannot be."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from headstart.backbones.load import load
from headstart.features.engines.folding import fold


def lively(module):
    """With weights and statistics as of a network that has learnt."""
    draw = torch.Generator().manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            with torch.no_grad():
                part.running_mean.normal_(generator=draw)
                part.running_var.uniform_(0.3, 2, generator=draw)
                part.weight.uniform_(0.5, 1.5, generator=draw)
                part.bias.normal_(generator=draw)
    return module.eval()


def norms(module):
    return sum(isinstance(part, nn.BatchNorm2d) for part in module.modules())


class Block(nn.Module):
    """relu(BN(conv x)) + x, and what `way` says."""

    def __init__(self, way):
        super().__init__()
        self.way = way
        self.conv, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.other = nn.BatchNorm2d(4)

    def forward(self, x):
        made = self.conv(x)
        if self.way == "read twice":
            return self.norm(made).relu() + made
        if self.way == "two norms":
            return self.norm(made) + self.other(made)
        if self.way == "changed in place":
            return self.norm(made.relu_())
        if self.way == "called twice":
            return self.norm(self.conv(made))
        if self.way == "looked into":
            return self.norm(made) * self.norm.weight.mean()
        return self.norm(made).relu() + x


def pixels(size=20, channels=4):
    return torch.randn(3, channels, size, size, generator=torch.Generator().manual_seed(1))


def test_a_norm_goes_into_the_convolution_it_follows():
    block = lively(Block("plain"))
    before = deepcopy(block)
    assert fold(block, (pixels(),)) == 1
    assert isinstance(block.norm, nn.Identity)
    with torch.no_grad():
        torch.testing.assert_close(block(pixels(7)), before(pixels(7)), rtol=1e-4, atol=1e-5)
    scale = before.norm.weight / (before.norm.running_var + before.norm.eps).sqrt()
    torch.testing.assert_close(block.conv.weight, before.conv.weight * scale[:, None, None, None])


def test_it_does_not_matter_whether_the_caller_infers():
    with torch.inference_mode():
        block, changed = lively(Block("plain")), lively(Block("changed in place"))
        assert fold(block, (pixels(),)) == 1
        assert fold(changed, (pixels(),)) == 0


@pytest.mark.parametrize("way", ["read twice", "two norms", "changed in place", "called twice", "looked into"])
def test_where_it_would_answer_otherwise_it_stays_to_the_bit(way):
    block = lively(Block(way))
    before = {name: value.clone() for name, value in block.state_dict().items()}
    with torch.no_grad():
        answer = block(pixels())
        assert fold(block, (pixels(),)) == 0
        assert torch.equal(block(pixels()), answer)
    assert block.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in block.state_dict().items())


def test_a_network_without_norms_is_not_run():
    class Never(nn.Module):
        def forward(self, x):
            raise AssertionError

    assert fold(Never(), (pixels(),)) == 0


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("bundled:efficientnet-lite0", 0),
        ("timm:resnet18?weights=random", 0),
        ("timm:test_efficientnet?weights=random", 0),
    ],
)
def test_real_networks_lose_all_of_their_norms(name, left):
    backbone = load(name)
    module = lively(deepcopy(backbone.module)) if "random" in name else deepcopy(backbone.module)
    inputs = backbone.preprocess.tensors(torch.from_numpy(backbone.preprocess.probe()[0]))
    with torch.no_grad():
        expected, count = module(*inputs), norms(module)
        assert fold(module, inputs) == count - left > 0
        assert norms(module) == left
        answer = module(*inputs)
    torch.testing.assert_close(answer, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))
