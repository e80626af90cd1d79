"""One step against plain torch: parts of a batch, mixup, clipping, bfloat16, and what is not finite."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small import network_of
from steps import PLAIN, batch_of, open_network, precise_network, same, sgd, stepped
from torch.nn import functional

from headstart.backbones.load import load
from headstart.finetuning.top import Top
from headstart.losses.l2_sp import L2SP
from headstart.losses.penalty import Context
from headstart.losses.supervised import Supervised
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.training.step import Batch, Step


@pytest.mark.parametrize("loss", [Supervised(l2=0.1, label_smoothing=0.1), L2SP(weight=0.3)], ids=repr)
@pytest.mark.parametrize("mixup", [0.0, 0.7])
@pytest.mark.parametrize("micro", [1, 3, 7])
def test_parts_add_up_to_the_batch_with_uneven_weights(backbone, micro, mixup, loss):
    network = precise_network(backbone)
    whole = stepped(network, replace(PLAIN, mixup=mixup), loss=loss)
    same(stepped(network, replace(PLAIN, mixup=mixup, micro=micro), loss=loss), whole)


def test_the_gradient_is_that_of_the_weighted_mean(backbone):
    network, batch = precise_network(backbone), batch_of()
    value, found, _ = stepped(network, PLAIN)
    network.zero_grad()
    features = network.backbone(batch.inputs[0].double())
    each = functional.cross_entropy(network.head(features.float()), batch.targets, reduction="none")
    mean = (each * batch.weights).sum() / batch.weights.sum()
    mean.backward()
    same((value, found), (mean.item(), {n: w.grad for n, w in network.named_parameters()}))


@pytest.mark.parametrize("kind", [MULTILABEL, REGRESSION])
def test_parts_add_up_for_other_kinds(backbone, kind):
    network = precise_network(backbone, 3 if kind == MULTILABEL else 1)
    targets = torch.rand(8, 3).round() if kind == MULTILABEL else torch.randn(8, dtype=torch.float64)
    batch = replace(batch_of(), targets=targets)
    whole = stepped(network, replace(PLAIN, mixup=0.5), batch, kind=kind)
    same(stepped(network, replace(PLAIN, mixup=0.5, micro=3), batch, kind=kind), whole)


# Numbers ------------------------------------------------------------------------------------------------------------


def moved(network, training, batch=None, lr=1.0):
    before = [weights.detach().clone() for weights in network.parameters()]
    step = Step(network, CLASSIFICATION, Supervised(), Supervised().start(Context(network)), training)
    value = step(sgd(network, lr), network.backbone, batch or batch_of(), np.random.default_rng(0))
    return value, [weights.detach() - old for weights, old in zip(network.parameters(), before, strict=True)]


def test_the_step_is_no_longer_than_the_clip(backbone):
    free = torch.cat([change.flatten() for change in moved(open_network(backbone), PLAIN)[1]])
    some = torch.cat([change.flatten() for change in moved(open_network(backbone), replace(PLAIN, clip=0.1))[1]])
    assert free.norm() > 0.2
    assert some.norm() == pytest.approx(0.1, rel=1e-3)
    torch.testing.assert_close(some / some.norm(), free / free.norm(), atol=1e-5, rtol=1e-3)
    much = torch.cat([change.flatten() for change in moved(open_network(backbone), replace(PLAIN, clip=1e4))[1]])
    assert torch.equal(much, free)


class Steep(torch.autograd.Function):
    """The identity, of endless slope."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad * torch.inf


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_what_is_not_finite_moves_nothing(backbone, clip):
    training = replace(PLAIN, clip=clip)
    for row, bad in ((2, torch.nan), (0, torch.inf)):
        batch = batch_of()
        batch.inputs[0][row] = bad
        value, changes = moved(open_network(backbone), training, batch)
        assert np.isnan(value)
        assert not any(change.any() for change in changes)
    network = open_network(backbone)
    network.backbone.register_forward_hook(lambda module, args, out: Steep.apply(out))
    value, changes = moved(network, training)
    assert np.isnan(value)
    assert not any(change.any() for change in changes)


# Mixup --------------------------------------------------------------------------------------------------------------


class Shares:
    """In place of a generator: a share and an order that a test chooses."""

    def __init__(self, share):
        self.share = share

    def beta(self, a, b):
        return self.share

    def permutation(self, count):
        return np.arange(count)[::-1].copy()


class Listening:
    """Features that remember what they were made of."""

    def __init__(self, network):
        self.network, self.seen = network, []

    def __call__(self, *inputs):
        self.seen.append(inputs)
        return self.network.backbone(*inputs)


def test_pictures_are_mixed_before_the_network(backbone):
    network, batch = open_network(backbone), batch_of()
    heard = Listening(network)
    step = Step(network, CLASSIFICATION, Supervised(), Supervised().start(Context(network)), replace(PLAIN, mixup=1.0))
    value = step(sgd(network), heard, batch, Shares(0.3))
    (x,) = batch.inputs
    mixed = 0.3 * x + 0.7 * x.flip(0)
    torch.testing.assert_close(heard.seen[0][0], mixed)
    with torch.no_grad():
        out = network(mixed)
        one = functional.cross_entropy(out, batch.targets, reduction="none") * batch.weights
        other = functional.cross_entropy(out, batch.targets.flip(0), reduction="none") * batch.weights.flip(0)
    total = (0.3 * batch.weights + 0.7 * batch.weights.flip(0)).sum()
    assert value == pytest.approx(((0.3 * one + 0.7 * other).sum() / total).item(), rel=1e-5)


def test_a_share_of_one_changes_nothing(backbone):
    network = open_network(backbone)
    plain = stepped(network, PLAIN)
    step = Step(network, CLASSIFICATION, Supervised(), Supervised().start(Context(network)), replace(PLAIN, mixup=1.0))
    value = step(sgd(network), network.backbone, batch_of(), Shares(1.0))
    same((value, {n: w.grad for n, w in network.named_parameters()}), plain, 1e-6)


def test_the_mix_depends_on_the_seed_alone(backbone):
    network, training = open_network(backbone), replace(PLAIN, mixup=1.0)
    values = [stepped(network, training, seed=seed)[0] for seed in (4, 4, 5)]
    assert values[0] == values[1] != values[2]


def test_features_of_texts_are_mixed_after_the_network():
    minilm = load("bundled:minilm")
    network = network_of(minilm, spread=1.0)
    network.open(network.top(1))
    network.eval()
    ids, mask = torch.randint(1000, 2000, (6, 7)), torch.ones(6, 7, dtype=torch.int64)
    mask[2, 4:] = 0
    batch = Batch((ids, mask), torch.arange(6) % 3, torch.ones(6))
    heard = Listening(network)
    step = Step(network, CLASSIFICATION, Supervised(), Supervised().start(Context(network)), replace(PLAIN, mixup=1.0))
    value = step(sgd(network), heard, batch, Shares(0.3))
    assert torch.equal(heard.seen[1][0], ids)  # their mates go first
    with torch.no_grad():
        features = network.backbone(ids, mask)
        out = network.head(0.3 * features + 0.7 * features.flip(0))
        pair = [functional.cross_entropy(out, targets) for targets in (batch.targets, batch.targets.flip(0))]
    assert value == pytest.approx((0.3 * pair[0] + 0.7 * pair[1]).item(), rel=1e-4)


# bfloat16 -----------------------------------------------------------------------------------------------------------

HALF = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
import steps as tests
from dataclasses import replace
from headstart.backbones.load import load
from headstart.finetuning.top import Top
backbone = load("timm:test_resnet?weights=random")
network = tests.open_network(backbone)
seen = []
network.backbone.get_submodule("conv1").register_forward_hook(lambda m, a, out: seen.append(out.dtype))
value, found, _ = tests.stepped(network, replace(tests.PLAIN, precision="bfloat16"))
assert seen == [torch.bfloat16], seen
assert all(grad.dtype == torch.float32 for grad in found.values())
plain, expected, _ = tests.stepped(network, tests.PLAIN)
assert abs(value - plain) < 0.02 * plain, (value, plain)
one, other = (torch.cat([g.flatten() for g in some.values()]) for some in (found, expected))
assert torch.cosine_similarity(one, other, dim=0) > 0.99
_, curves = tests.learnt(backbone, replace(tests.PLAIN, precision="bfloat16", epochs=2, augment=False, batch=5))
print(len(curves.curves))
"""


@pytest.mark.slow
def test_bfloat16_calculates_near_float32_and_keeps_the_weights_in_it():
    """In a process that is told to leave AMX alone: there are machines that have it and die of it."""
    where = Path(__file__).parents[1]
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}
    command = [sys.executable, "-c", HALF, str(where / "support")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=where.parent)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "2"


def test_what_has_no_gradient_is_no_obstacle(backbone):
    network = open_network(backbone)
    network.open(network.top(0))
    assert set(stepped(network, replace(PLAIN, clip=1.0))[1]) == {"head.linear.weight", "head.linear.bias"}
    assert Top(stages=0).moves == "weights"
