"""A converted graph with other weights in it: bit for bit what converting that network gives, or not used at all."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from headstart.backbones.load import load
from headstart.features.cache.memory import Memory
from headstart.features.engines import openvino_engine
from headstart.features.engines.agreement import probe, run
from headstart.features.engines.engine import Choice, Unfit
from headstart.features.engines.openvino_engine import OpenVINOEngine
from headstart.features.engines.select import built
from headstart.features.engines.torch_engine import TorchEngine
from headstart.features.quiet import quiet

pytestmark = pytest.mark.usefixtures("has_openvino")
FLOAT32 = Choice("openvino", "float32", "cpu", "")


def engine(backbone, *, anew=False):
    with quiet():
        return OpenVINOEngine(backbone, "float32", 1, anew=anew)


def answers(engine, backbone):
    return run(engine, engine.lane(), probe(backbone))


def of_torch(backbone):
    return answers(TorchEngine(backbone, "float32", "cpu"), backbone)


def trained(module, seed=9):
    """Its batch norms as if they had seen data, so that no tensor is all zeros or ones."""
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point() and bool((tensor == tensor.flatten()[0]).all()):
                tensor.add_(torch.rand(tensor.shape, generator=draw), alpha=0.5)
                assert "net.1" in name
    return module


@pytest.fixture(params=["pictures", "texts", "lite0", pytest.param("minilm", marks=pytest.mark.slow)])
def pair(request, make):
    """Two backbones of one architecture with other weights; the first as trained networks are."""
    if request.param == "pictures":
        first = make.backbone(1)
        trained(first.module)
        return first, make.backbone(2)
    if request.param == "texts":
        return make.text_backbone(1), make.text_backbone(2)
    name = {"lite0": "bundled:efficientnet-lite0", "minilm": "bundled:minilm"}[request.param]
    backbone = load(name)
    return backbone, backbone.random(3)


def test_it_answers_as_a_graph_of_its_own_to_the_bit(pair, monkeypatch):
    first, second = pair
    before = answers(engine(first), first)
    own = engine(second, anew=True)
    assert not own.refilled
    monkeypatch.setattr(openvino_engine, "_converted", lambda *a: 1 / 0)
    again = engine(second)
    assert again.refilled
    assert np.array_equal(answers(again, second), answers(own, second))
    assert not np.allclose(answers(again, second), before, atol=0.01)
    assert np.array_equal(answers(engine(first), first), before), "the graph that was kept is not changed"


def other_architecture(make):
    return make.backbone(2, dim=9)


def other_scale(make):
    backbone = make.backbone(2)
    return replace(backbone, preprocess=replace(backbone.preprocess, mean=(0.0, 0.0, 0.0)))


def other_class(make):
    backbone = make.backbone(2)

    class Louder(type(backbone.module)):
        def forward(self, pixels):
            return 3 * super().forward(pixels)

    torch.manual_seed(2)
    return replace(backbone, module=Louder().eval())


@pytest.mark.parametrize("other", [other_architecture, other_scale, other_class])
def test_another_network_is_converted(make, other):
    first, second = make.backbone(1), other(make)
    trained(first.module)
    earlier = engine(first)
    if second.dim != first.dim:
        second = replace(second, dim=first.dim)
    fresh = engine(second)
    assert not fresh.refilled
    assert np.allclose(answers(fresh, second), of_torch(second), rtol=0, atol=1e-5)
    assert earlier.batch == fresh.batch


def test_tensors_that_cannot_be_told_apart_are_not_taken_for_each_other(make):
    """Of an untrained network several are all ones or all zeros."""
    first, second = make.backbone(1), make.backbone(2)
    trained(second.module)
    earlier = engine(first)
    fresh = engine(second)
    assert not fresh.refilled
    assert np.allclose(answers(fresh, second), of_torch(second), rtol=0, atol=1e-5)
    assert np.allclose(answers(earlier, first), of_torch(first), rtol=0, atol=1e-5)


def test_tensors_alike_before_and_not_after(make):
    first, second = make.backbone(1), make.backbone(2)
    trained(first.module), trained(second.module, seed=10)
    with torch.no_grad():
        first.module.net[1].bias.copy_(first.module.net[1].running_mean)
    earlier = engine(first)
    fresh = engine(second)
    assert not fresh.refilled
    assert np.allclose(answers(fresh, second), of_torch(second), rtol=0, atol=1e-5)
    assert earlier.fixed


def test_weights_that_moved_since_they_were_converted(make):
    first, second = make.backbone(1), make.backbone(2)
    trained(first.module)
    earlier = engine(first)
    with torch.no_grad():
        for weights in first.module.parameters():
            weights.mul_(1.5)
    fresh = engine(second)
    assert np.allclose(answers(fresh, second), of_torch(second), rtol=0, atol=1e-5)
    assert earlier.fixed


class Shifted(nn.Module):
    """A network with a number that is neither in its spec nor a tensor of it: tracing makes it a constant."""

    def __init__(self, shift):
        super().__init__()
        self.net, self.shift = nn.Conv2d(3, 6, 3), shift

    def forward(self, pixels):
        return torch.relu(self.net(pixels) + self.shift).mean((2, 3))


def test_a_graph_that_does_not_agree_is_left_for_one_of_its_own(make, tmp_path):
    first, second = make.backbone(1, Shifted(0.0)), make.backbone(2, Shifted(5.0))
    earlier = engine(first)
    refilled = engine(second)
    assert refilled.refilled
    assert not np.allclose(answers(refilled, second), of_torch(second), rtol=0, atol=1e-2)
    memory = Memory(tmp_path)
    with quiet():
        fresh, agreement = built(FLOAT32, second, 1, memory)
    assert not fresh.refilled
    assert agreement.error < 1e-3
    assert np.allclose(answers(fresh, second), of_torch(second), rtol=0, atol=1e-5)
    with quiet():
        assert built(FLOAT32, second, 1, memory)[1] == agreement, "what did not agree is not remembered"
    assert earlier.fixed


def test_an_engine_that_agrees_with_nothing_is_refused(make, tmp_path, monkeypatch):
    first, second = make.backbone(1, Shifted(0.0)), make.backbone(2, Shifted(5.0))
    earlier = engine(first)
    made = []

    def shifted(self):
        made.append(self.refilled)
        return lambda *inputs: TorchEngine(second, "float32", "cpu").lane()(*inputs) + 1

    monkeypatch.setattr(OpenVINOEngine, "lane", shifted)
    with quiet(), pytest.raises(Unfit, match="does not agree with torch float32"):
        built(FLOAT32, second, 1, Memory(tmp_path))
    assert made == [True, False]
    assert earlier.fixed
