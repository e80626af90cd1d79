"""BitFit, and the tunes that only name stages: what learns is what they say."""

from __future__ import annotations

import pytest
import torch
from small import Rows, data_of, noise

from headstart.finetuning.bitfit import BitFit
from headstart.finetuning.full import Full
from headstart.finetuning.gradual import Gradual
from headstart.finetuning.head import HeadOnly
from headstart.finetuning.top import Top
from headstart.losses.supervised import Supervised
from headstart.network import HEAD
from headstart.training.checkpoint import Journal
from headstart.training.loop import train
from headstart.training.optimizers import learning
from headstart.training.options import Training


def trained(network, tune):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    data = data_of(Rows(noise(12)), range(12), range(12))
    training = Training(margin=0, epochs=3, batch=6, lr=1e-4, augment=False)
    found = train(network, data, tune, Supervised(), training, Journal(None))
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    return changed, found


def test_only_biases_and_the_head_move(network):
    biases = {name for name, _ in network.backbone.named_parameters(prefix="backbone") if name.endswith("bias")}
    changed, found = trained(network, BitFit())
    assert changed
    body = {name for name in changed if not name.startswith("head.")}
    assert body <= biases
    assert len(body) > len(biases) / 2  # timm begins with norms of weight 0: nothing comes through to what is before
    head = sum(weights.numel() for weights in network.stage(HEAD).values())
    assert found.parameters == head + sum(network.get_parameter(name).numel() for name in biases)
    assert found.parameters < 0.05 * sum(weights.numel() for weights in network.parameters()) + head


def test_only_the_head_moves(network):
    changed, _ = trained(network, HeadOnly())
    assert changed == {"head.linear.weight", "head.linear.bias"}


def test_rates_fall_from_stage_to_stage(network):
    (stage,) = Full(decay=0.5, head_lr=10.0)(network, progress=None)
    optimise = learning(network, stage, Training(lr=1e-3))
    rates = {id(weights): group["lr"] for group in optimise.param_groups for weights in group["params"]}
    body = network.stages[:-1]
    for below, name in enumerate(reversed(body)):
        found = [rates[id(weights)] for weights in network.stage(name).values()]
        assert found == pytest.approx([1e-3 * 0.5**below] * len(found))
    assert [rates[id(weights)] for weights in network.stage(HEAD).values()] == pytest.approx([1e-2] * 2)


def test_gradual_opens_one_stage_more_each_time(network):
    plan = [stage.train for stage in Gradual(stages=99)(network, progress=None)]
    assert plan == [network.top(count) for count in range(1, len(network.stages))]
    assert len(list(Gradual(stages=2)(network, progress=None))) == 2


def test_gradual_of_nothing_is_refused():
    with pytest.raises(ValueError, match="stages = 0: expected 1 or more; method 'head' opens none"):
        Gradual(stages=0)


@pytest.mark.parametrize("stages", [-1, 99])
def test_stages_that_there_are_not_are_refused(network, stages):
    with pytest.raises(ValueError, match=f"{stages} stages were asked for; this backbone has"):
        next(Top(stages=stages)(network, progress=None))
