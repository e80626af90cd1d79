"""LoRA and (IA)^3: nothing at the beginning, merged without a trace at the end, in all kinds of networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from small import Rows, data_of, network_of, noise, on_module, text_model
from torch import nn

from headstart.backbones.load import load
from headstart.finetuning.adapters import places
from headstart.finetuning.ia3 import IA3
from headstart.finetuning.lora import LoRA
from headstart.heads.module import HeadModule
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.training.checkpoint import Journal
from headstart.training.loop import train
from headstart.training.optimizers import learning
from headstart.training.options import Training

X = noise(4, size=40)
PICTURES = {
    "test_resnet": {},
    "efficientnet_lite0": {},
    "tf_efficientnet_lite0": {},
    "convnext_atto": {},
    "resnetv2_50": {},
    "vit_tiny_patch16_224": {"img_size": 40, "patch_size": 8, "depth": 2},
}
KINDS = [LoRA(), LoRA(stages=1, rank=3, alpha=5.0), IA3(), IA3(stages=1)]


@pytest.fixture(scope="module", params=[*PICTURES, "bert", "gpt2"])
def case(request, backbone):
    torch.manual_seed(0)
    if request.param in PICTURES:
        module, inputs = timm.create_model(request.param, num_classes=0, **PICTURES[request.param]), (X,)
    else:
        ids = torch.randint(5, 50, (4, 9))
        module, inputs = text_model(request.param), (ids, torch.ones_like(ids))
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(std=0.1)
    for weights in module.parameters():
        if not weights.any():
            nn.init.normal_(weights, std=0.05)  # what is multiplied by nothing could not be seen to change
    return module, inputs


def answers(network, inputs):
    with torch.no_grad(), network.asked():
        return network.backbone(*inputs)


@pytest.mark.parametrize("tune", KINDS, ids=repr)
def test_the_identity_at_first_and_merged_the_same_function(backbone, case, tune):
    module, inputs = case
    network = on_module(backbone, module)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    plain = answers(network, inputs)
    plan = tune(network, progress=None)
    stage = next(plan)
    learning(network, stage, Training())
    scale = float(plain.abs().max())
    torch.testing.assert_close(answers(network, inputs), plain, atol=1e-5 * scale, rtol=1e-5)
    body = {name: w for name, w in network.backbone.named_parameters() if w.requires_grad}
    assert body
    assert all((".ia3_" if isinstance(tune, IA3) else ".lora_") in name for name in body)
    torch.manual_seed(1)
    with torch.no_grad():
        for weights in body.values():
            weights.add_(0.05 * torch.randn_like(weights))
    moved = answers(network, inputs)
    assert (moved - plain).abs().max() > 1e-4 * scale
    assert not list(plan)
    torch.testing.assert_close(answers(network, inputs), moved, atol=1e-5 * float(moved.abs().max()), rtol=1e-4)
    after = network.state_dict()
    assert list(after) == list(before)
    layers = {f"backbone.{name}" for name in places(network, network.top(tune.stages or len(network.stages) - 1))}
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed
    assert {name.rpartition(".")[0] for name in changed} <= layers
    assert not any("peft" in type(one).__module__ for one in network.modules())


@pytest.mark.parametrize("tune", KINDS, ids=repr)
def test_a_training_moves_the_adapted_layers_and_nothing_else(backbone, tune):
    network = network_of(backbone, spread=1.0)
    given = {name: value.clone() for name, value in network.state_dict().items()}
    layers = {f"backbone.{name}" for name in places(network, network.top(tune.stages or len(network.stages) - 1))}
    data = data_of(Rows(noise(12)), range(12), range(12))
    training = Training(margin=0, epochs=3, batch=6, lr=1e-3, augment=False)
    found = train(network, data, tune, Supervised(), training, Journal(None))
    after = network.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, given[name])}
    assert {name.rpartition(".")[0] for name in changed} <= layers | {"head.linear"}
    assert any(name.startswith("backbone.") for name in changed)
    assert found.parameters < sum(value.numel() for value in network.parameters())
    assert not any(weights.requires_grad for weights in network.parameters())


def test_only_the_names_that_were_asked_for_are_adapted(backbone):
    """The last stage has a layer whose name all the others' end with."""

    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList([nn.ModuleDict({"proj": nn.Linear(3, 3)}) for _ in range(2)])
            self.proj = nn.Linear(3, 3)

        def forward(self, x):
            x = x.mean((2, 3))
            for block in self.blocks:
                x = block["proj"](x)
            return self.proj(x)

    module = Named()
    stages = (("blocks.0", ("blocks.0.",)), ("blocks.1", ("blocks.1.",)), ("proj", ("proj.",)))
    for tune in (LoRA(stages=1), IA3(stages=1)):
        network = Network(replace(backbone, module=module, stages=stages), HeadModule.fresh(np.zeros(3), np.ones(3), 3))
        plan = tune(network, progress=None)
        next(plan)
        kind = ".lora_" if isinstance(tune, LoRA) else ".ia3_"
        found = {name for name, _ in network.backbone.named_parameters() if kind in name}
        assert found
        assert all(name.startswith("proj.") for name in found)
        plan.close()


def test_convolutions_that_standardise_their_weights_take_none(backbone):
    """What is merged into them would not be what was trained."""
    with torch.device("meta"):
        network = on_module(backbone, timm.create_model("resnetv2_50x1_bit", num_classes=0))
    with pytest.raises(ValueError, match=r"no layer of stem, stages.0, .* takes an adapter"):
        places(network, network.stages)
    with torch.device("meta"):
        network = on_module(backbone, timm.create_model("nfnet_l0", num_classes=0))
    kinds = {type(network.backbone.get_submodule(name)) for name in places(network, network.stages)}
    assert kinds == {nn.Conv2d}  # those of its attention


def test_where_no_layer_takes_an_adapter_another_method_is_named(backbone):
    module = nn.Sequential(nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = Network(
        replace(backbone, module=module, stages=(("all", ("",)),)), HeadModule.fresh(np.zeros(3), np.ones(3), 3)
    )
    with pytest.raises(ValueError, match="no layer of all, head takes an adapter: use method 'top' or 'fine-tune'"):
        next(LoRA()(network, progress=None))


def test_more_stages_than_there_are_and_no_rank_are_refused(backbone):
    network = on_module(backbone, backbone.module)
    with pytest.raises(ValueError, match="99 stages were asked for; this backbone has"):
        next(LoRA(stages=99)(network, progress=None))
    with pytest.raises(ValueError, match="rank = 0: expected 1 or more"):
        LoRA(rank=0)


def test_a_bundled_network_takes_adapters_in_its_padded_convolutions():
    lite = load("bundled:efficientnet-lite0")
    network = network_of(lite)
    assert "conv_stem" in places(network, network.stages)
