"""The plain networks compute what timm's of the same names do."""

import pytest
import timm
import torch
from torch import nn

from headstart.backbones import assemble
from headstart.backbones.inverted_residual import PLAIN, InvertedResiduals
from headstart.backbones.stages import stages_of


@pytest.fixture(params=PLAIN)
def pair(request):
    theirs, ours = timm.create_model(request.param, num_classes=0), InvertedResiduals(PLAIN[request.param])
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


@pytest.mark.parametrize("learns", [False, True])
@pytest.mark.parametrize("size", [(224, 224), (65, 98)])
def test_they_compute_what_timm_does(pair, size, learns):
    pixels = torch.randn(3, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        theirs, ours = (model.train(learns)(pixels) for model in pair)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert theirs.std() > 1e-3
    for name, value in pair[0].state_dict().items():  # what a batch leaves behind
        torch.testing.assert_close(pair[1].state_dict()[name], value, rtol=1e-4, atol=1e-4)


def test_names_and_stages_are_those_of_timm(pair):
    assert list(pair[1].state_dict()) == list(pair[0].state_dict())
    assert stages_of(pair[1]) == stages_of(pair[0])
    assert len(stages_of(pair[1])) == 8


@pytest.mark.parametrize("name", PLAIN)
def test_random_weights_spread_as_those_of_timm(name):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs, ours = timm.create_model(name, num_classes=0), InvertedResiduals(PLAIN[name])
    wide = [name for name, module in ours.named_modules() if isinstance(module, nn.Conv2d) and module.groups == 1]
    assert len(wide) > 30
    for place in wide:
        expected = theirs.get_submodule(place).weight.std().item()
        assert ours.get_submodule(place).weight.std().item() == pytest.approx(expected, rel=0.2)


def test_a_name_with_options_is_left_to_timm():
    spec = {"hub": "timm", "architecture": "mobilenetv2_100", "args": {}}
    assert isinstance(assemble.build(spec), InvertedResiduals)
    assert not isinstance(assemble.build(spec | {"args": {"drop_path_rate": 0.1}}), InvertedResiduals)
