"""Networks that are filled at once are built without drawing; all others draw from their seed alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headstart.backbones.assemble import build, filled
from headstart.backbones.load import load
from headstart.backbones.randomness import Undrawn, seeded
from headstart.errors import BackboneError

RESNET = "timm:test_resnet?weights=random"
NAMES = [RESNET, "timm:test_vit?weights=random&seed=2", "timm:test_efficientnet?weights=random", "small:conv4"]


@pytest.mark.parametrize("name", NAMES)
def test_a_network_that_is_filled_is_the_one_that_gave_its_weights(name):
    backbone = load(name)
    state = {key: value.clone() for key, value in backbone.module.state_dict().items()}
    again = filled(backbone.spec, state, "here").eval()
    inputs = backbone.preprocess.largest()
    with torch.inference_mode():
        assert torch.equal(again(*inputs), backbone.module(*inputs))
    with pytest.raises(BackboneError, match=r"here: the weights do not fit the architecture: .* is missing"):
        filled(backbone.spec, dict(list(state.items())[1:]), "here")


def test_parameters_are_left_alone_and_nothing_else_is():
    weight, constant = nn.Parameter(torch.full((3, 4), 7.0)), nn.Parameter(torch.empty(4))
    plain = torch.zeros(50)
    before = torch.get_rng_state()
    with Undrawn():
        for draw in (nn.init.normal_, nn.init.uniform_, nn.init.kaiming_uniform_, nn.init.xavier_normal_):
            assert draw(weight) is weight
        assert torch.equal(torch.get_rng_state(), before)
        nn.init.constant_(constant, 2.0)
        plain.normal_()
    assert torch.equal(weight, torch.full((3, 4), 7.0))
    assert torch.equal(constant, torch.full((4,), 2.0))
    assert plain.std() > 0.5
    nn.init.normal_(weight)
    assert not torch.equal(weight, torch.full((3, 4), 7.0))


def test_a_network_of_random_weights_draws_them():
    spec = load(RESNET).spec
    with seeded(3):
        one, two = build(spec), build(spec)
    with seeded(3):
        again = build(spec)
    assert torch.equal(one.conv1[0].weight, again.conv1[0].weight)
    assert not torch.equal(one.conv1[0].weight, two.conv1[0].weight)
