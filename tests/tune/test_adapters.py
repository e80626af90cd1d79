"""LoRA and (IA)^3: nothing at the beginning, merged without a trace at the end, in all kinds of networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from torch import nn

from headstart.backbones.encoders import TextEncoder
from headstart.backbones.load import load
from headstart.backbones.stages import stages_of
from headstart.checkpoint import Journal
from headstart.losses.supervised import Supervised
from headstart.network import Network, TunedHead
from headstart.optimizers import learning
from headstart.source import Data
from headstart.train import train
from headstart.training import Training
from headstart.tune.adapters import places
from headstart.tune.ia3 import IA3
from headstart.tune.lora import LoRA

X = torch.randn(4, 3, 40, 40, generator=torch.Generator().manual_seed(0))
PICTURES = {
    "test_resnet": {},
    "efficientnet_lite0": {},
    "tf_efficientnet_lite0": {},
    "convnext_atto": {},
    "resnetv2_50": {},
    "vit_tiny_patch16_224": {"img_size": 40, "patch_size": 8, "depth": 2},
}
KINDS = [LoRA(), LoRA(stages=1, rank=3, alpha=5.0), IA3(), IA3(stages=1)]


def text_model(name):
    from transformers import BertConfig, BertModel, GPT2Config, GPT2Model

    if name == "gpt2":
        return TextEncoder(GPT2Model(GPT2Config(vocab_size=50, n_embd=16, n_layer=3, n_head=2, n_positions=20)), "mean")
    small = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    model = BertModel(BertConfig(vocab_size=50, **small))
    model.pooler = None
    return TextEncoder(model, "mean")


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


def network_of(backbone, module):
    head = TunedHead(np.zeros(1), np.ones(1), 3)
    return Network(replace(backbone, module=module, stages=stages_of(module)), head)


def answers(network, inputs):
    with torch.no_grad(), network.asked():
        return network.backbone(*inputs)


@pytest.mark.parametrize("tune", KINDS, ids=repr)
def test_the_identity_at_first_and_merged_the_same_function(backbone, case, tune):
    module, inputs = case
    network = network_of(backbone, module)
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


class Rows:
    def __init__(self, inputs):
        self.inputs = inputs

    def __len__(self):
        return len(self.inputs[0])

    def batch(self, rows, draw):
        return tuple(one[rows] for one in self.inputs)


@pytest.mark.parametrize("tune", KINDS, ids=repr)
def test_a_training_moves_the_adapted_layers_and_nothing_else(backbone, tune):
    network = network_of(backbone, backbone.module)
    network.head = TunedHead(np.zeros(backbone.dim), np.ones(backbone.dim), 3)
    nn.init.normal_(network.head.linear.weight)
    given = {name: value.clone() for name, value in network.state_dict().items()}
    layers = {f"backbone.{name}" for name in places(network, network.top(tune.stages or len(network.stages) - 1))}
    x = torch.randn(12, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    rows = np.arange(12)
    data = Data(Rows((x,)), torch.arange(12) % 3, torch.ones(12), "classification", rows, rows)
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
        network = Network(replace(backbone, module=module, stages=stages), TunedHead(np.zeros(3), np.ones(3), 3))
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
        network = network_of(backbone, timm.create_model("resnetv2_50x1_bit", num_classes=0))
    with pytest.raises(ValueError, match=r"no layer of stem, stages.0, .* takes an adapter"):
        places(network, network.stages)
    with torch.device("meta"):
        network = network_of(backbone, timm.create_model("nfnet_l0", num_classes=0))
    kinds = {type(network.backbone.get_submodule(name)) for name in places(network, network.stages)}
    assert kinds == {nn.Conv2d}  # those of its attention


def test_where_no_layer_takes_an_adapter_another_method_is_named(backbone):
    module = nn.Sequential(nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = Network(replace(backbone, module=module, stages=(("all", ("",)),)), TunedHead(np.zeros(3), np.ones(3), 3))
    with pytest.raises(ValueError, match="no layer of all, head takes an adapter: use method 'top' or 'fine-tune'"):
        next(LoRA()(network, progress=None))


def test_more_stages_than_there_are_and_no_rank_are_refused(backbone):
    network = network_of(backbone, backbone.module)
    with pytest.raises(ValueError, match="99 stages were asked for; this backbone has"):
        next(LoRA(stages=99)(network, progress=None))
    with pytest.raises(ValueError, match="rank = 0: expected 1 or more"):
        LoRA(rank=0)


def test_a_bundled_network_takes_adapters_in_its_padded_convolutions():
    lite = load("bundled:efficientnet-lite0")
    network = Network(lite, TunedHead(np.zeros(lite.dim), np.ones(lite.dim), 3))
    assert "conv_stem" in places(network, network.stages)
