"""One step against plain torch: parts of a batch, mixup, clipping, and what it does where memory or numbers end."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from headstart.backbones.load import load
from headstart.checkpoint import Journal
from headstart.losses.l2_sp import L2SP
from headstart.losses.supervised import Supervised
from headstart.network import Network, TunedHead
from headstart.source import Data
from headstart.step import Batch, Step
from headstart.train import train
from headstart.training import Training
from headstart.tune.full import Full
from headstart.tune.top import Top

PLAIN = Training(margin=0, batch=8, clip=0.0, precision="float32")


@pytest.fixture(scope="module")
def backbone():
    return load("timm:test_resnet?weights=random")


def network_of(backbone, classes=3):
    """Everything learns; running statistics of batches stay, so that parts of a batch add up."""
    torch.manual_seed(0)
    network = Network(backbone, TunedHead(np.zeros(backbone.dim), np.ones(backbone.dim), classes))
    nn.init.normal_(network.head.linear.weight, std=0.1)
    network.open(network.stages)
    return network.eval()


def batch_of(count=8):
    generator = torch.Generator().manual_seed(0)
    return Batch(
        (torch.randn(count, 3, 32, 32, generator=generator),), torch.arange(count) % 3, torch.linspace(0.2, 3, count)
    )


def sgd(network, lr=0.0):
    return torch.optim.SGD([weights for weights in network.parameters() if weights.requires_grad], lr=lr)


def stepped(network, training, batch=None, features=None, kind="classification", loss=Supervised(), seed=0):  # noqa: B008
    """The loss, the gradients, and the step; nothing moves at learning rate 0."""
    step = Step(network, kind, loss, loss.start(network), training)
    features = features or network.backbone
    value = step(sgd(network), features, batch or batch_of(), np.random.default_rng(seed))
    return value, {n: w.grad.clone() for n, w in network.named_parameters() if w.grad is not None}, step


def same(one, other, tolerance=1e-4):
    assert one[0] == pytest.approx(other[0], rel=tolerance)
    assert one[1].keys() == other[1].keys()
    for name, value in one[1].items():
        scale = float(other[1][name].abs().max())
        torch.testing.assert_close(value, other[1][name], atol=tolerance * scale + 1e-9, rtol=tolerance, msg=name)


@pytest.mark.parametrize("loss", [Supervised(l2=0.1, label_smoothing=0.1), L2SP(weight=0.3)], ids=repr)
@pytest.mark.parametrize("mixup", [0.0, 0.7])
@pytest.mark.parametrize("micro", [1, 3, 7])
def test_parts_add_up_to_the_batch_with_uneven_weights(backbone, micro, mixup, loss):
    network = network_of(backbone)
    whole = stepped(network, replace(PLAIN, mixup=mixup), loss=loss)
    same(stepped(network, replace(PLAIN, mixup=mixup, micro=micro), loss=loss), whole)


def test_the_gradient_is_that_of_the_weighted_mean(backbone):
    network, batch = network_of(backbone), batch_of()
    value, found, _ = stepped(network, PLAIN)
    network.zero_grad()
    each = functional.cross_entropy(network(*batch.inputs), batch.targets, reduction="none")
    mean = (each * batch.weights).sum() / batch.weights.sum()
    mean.backward()
    same((value, found), (mean.item(), {n: w.grad for n, w in network.named_parameters()}))


@pytest.mark.parametrize("kind", ["multilabel", "regression"])
def test_parts_add_up_for_other_kinds(backbone, kind):
    network = network_of(backbone, 3 if kind == "multilabel" else 1)
    targets = torch.rand(8, 3).round() if kind == "multilabel" else torch.randn(8, dtype=torch.float64)
    batch = replace(batch_of(), targets=targets)
    whole = stepped(network, replace(PLAIN, mixup=0.5), batch, kind=kind)
    same(stepped(network, replace(PLAIN, mixup=0.5, micro=3), batch, kind=kind), whole)


# Memory -------------------------------------------------------------------------------------------------------------


class Narrow:
    """Features of a network that refuses more than so many rows, after it has drawn random numbers for them."""

    def __init__(self, network, most, error):
        self.network, self.most, self.error, self.seen = network, most, error, []

    def __call__(self, x):
        self.seen.append(len(x))
        noise = torch.rand(1)
        if len(x) > self.most:
            raise self.error
        return self.network.backbone(x) * (1 + noise)


OUT = [
    torch.OutOfMemoryError("CUDA out of memory"),
    MemoryError(),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
]


@pytest.mark.parametrize("error", OUT, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("mixup", [0.0, 0.7])
def test_where_memory_ends_fewer_rows_go_at_once_to_the_same_gradient(backbone, error, mixup):
    network, training = network_of(backbone), replace(PLAIN, mixup=mixup)
    narrow = Narrow(network, 3, error)
    torch.manual_seed(5)
    value, found, step = stepped(network, training, features=narrow)
    assert (step.micro, narrow.seen) == (2, [8, 4, 2, 2, 2, 2])
    assert "memory did not hold the batch: 2 rows at a time go through the network" in step.notes[-1]
    assert "the gradients of 8 are added up as before" in step.notes[-1]
    torch.manual_seed(5)
    wide = Narrow(network, 9, error)
    same((value, found), stepped(network, replace(training, micro=2), features=wide), 1e-6)


def test_more_at_once_than_the_batch_has_is_the_batch(backbone):
    network = network_of(backbone)
    narrow = Narrow(network, 4, OUT[0])
    _, _, step = stepped(network, replace(PLAIN, micro=1000, batch=500), features=narrow)
    assert (step.micro, narrow.seen, len(step.notes)) == (4, [8, 4, 4], 1)


def test_memory_that_does_not_hold_one_row_is_an_error(backbone):
    network = network_of(backbone)
    narrow = Narrow(network, 0, OUT[0])
    with pytest.raises(torch.OutOfMemoryError):
        stepped(network, PLAIN, features=narrow)
    assert narrow.seen == [8, 4, 2, 1]


def test_other_errors_pass_through(backbone):
    network = network_of(backbone)
    narrow = Narrow(network, 0, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        stepped(network, PLAIN, features=narrow)
    assert narrow.seen == [8]


class Rows:
    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def batch(self, rows, draw):
        return (self.x[rows],)


def learnt(backbone, training, count=14):
    network = network_of(backbone)
    x = torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    rows = np.arange(count)
    data = Data(Rows(x), torch.arange(count) % 3, torch.ones(count), "classification", rows[:-4], rows[-4:])
    return network, train(network, data, Full(), Supervised(), training, Journal(None))


@pytest.mark.parametrize("options", [{"micro": 2}, {"batch": 1}, {"micro": 1}, {"batch": 9}], ids=repr)
def test_no_row_goes_alone_through_norms_of_batches(backbone, options):
    """At 32 pixels the last maps are of one pixel: a row alone has no variance. Parts of 5 rows by 2 are 2, 2, 1."""
    training = replace(
        PLAIN, **{"epochs": 2, "batch": 5, "augment": False, "ema": 0.5, "statistics": "batch"} | options
    )
    _, found = learnt(backbone, training)
    alone = options != {"batch": 9}
    assert any("batches of one row: the statistics of BatchNorm stay" in note for note in found.notes) == alone
    assert np.isfinite(found.curves).all()


def test_memory_that_holds_one_row_leaves_norms_of_batches_alone(backbone):
    network = network_of(backbone)
    network.open(network.stages)
    assert any(module.training for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    _, _, step = stepped(network, PLAIN, features=Narrow(network, 1, OUT[0]))
    assert step.micro == 1
    assert not any(module.training for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    assert any("the statistics of BatchNorm stay" in note for note in step.notes)


class Killed(Exception):
    """In place of a signal, at a place that a test chooses."""


class Interrupted(Rows):
    """Rows that end the run after so many batches."""

    def __init__(self, x, left):
        super().__init__(x)
        self.left = left

    def batch(self, rows, draw):
        self.left -= 1
        if self.left < 0:
            raise Killed
        return super().batch(rows, draw)


def cramped(backbone, folder, left=10**9):
    """Memory that holds one row; a moving average of the statistics that are given up for it."""
    network = network_of(backbone)

    def refuse(module, args):
        if module.training and len(args[0]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")

    network.backbone.get_submodule("layer1").register_forward_pre_hook(refuse)
    x = torch.randn(14, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    rows = np.arange(14)
    data = Data(Interrupted(x, left), torch.arange(14) % 3, torch.ones(14), "classification", rows[:-4], rows[-4:])
    training = replace(PLAIN, epochs=3, batch=5, augment=False, ema=0.5, patience=9, disk=0.0, statistics="batch")
    found = train(network, data, Full(), Supervised(), training, Journal(folder, every=0))
    return network.state_dict(), found


def test_a_run_that_had_too_little_memory_goes_on_to_the_same_bits(backbone, tmp_path):
    expected, whole = cramped(backbone, None)
    with pytest.raises(Killed):
        cramped(backbone, tmp_path / "run", 6)
    state, found = cramped(backbone, tmp_path / "run")
    assert found.curves == whole.curves
    assert all(torch.equal(value, expected[name]) for name, value in state.items())
    assert any("the statistics of BatchNorm stay" in note for note in found.notes)


# Numbers ------------------------------------------------------------------------------------------------------------


def moved(network, training, batch=None, lr=1.0):
    before = [weights.detach().clone() for weights in network.parameters()]
    step = Step(network, "classification", Supervised(), Supervised().start(network), training)
    value = step(sgd(network, lr), network.backbone, batch or batch_of(), np.random.default_rng(0))
    return value, [weights.detach() - old for weights, old in zip(network.parameters(), before, strict=True)]


def test_the_step_is_no_longer_than_the_clip(backbone):
    free = torch.cat([change.flatten() for change in moved(network_of(backbone), PLAIN)[1]])
    some = torch.cat([change.flatten() for change in moved(network_of(backbone), replace(PLAIN, clip=0.1))[1]])
    assert free.norm() > 0.2
    assert some.norm() == pytest.approx(0.1, rel=1e-3)
    torch.testing.assert_close(some / some.norm(), free / free.norm(), atol=1e-5, rtol=1e-3)
    much = torch.cat([change.flatten() for change in moved(network_of(backbone), replace(PLAIN, clip=1e4))[1]])
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
        value, changes = moved(network_of(backbone), training, batch)
        assert np.isnan(value)
        assert not any(change.any() for change in changes)
    network = network_of(backbone)
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
    network, batch = network_of(backbone), batch_of()
    heard = Listening(network)
    step = Step(network, "classification", Supervised(), Supervised().start(network), replace(PLAIN, mixup=1.0))
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
    network = network_of(backbone)
    plain = stepped(network, PLAIN)
    step = Step(network, "classification", Supervised(), Supervised().start(network), replace(PLAIN, mixup=1.0))
    value = step(sgd(network), network.backbone, batch_of(), Shares(1.0))
    same((value, {n: w.grad for n, w in network.named_parameters()}), plain, 1e-6)


def test_the_mix_depends_on_the_seed_alone(backbone):
    network, training = network_of(backbone), replace(PLAIN, mixup=1.0)
    values = [stepped(network, training, seed=seed)[0] for seed in (4, 4, 5)]
    assert values[0] == values[1] != values[2]


def test_features_of_texts_are_mixed_after_the_network():
    minilm = load("bundled:minilm")
    torch.manual_seed(0)
    network = Network(minilm, TunedHead(np.zeros(minilm.dim), np.ones(minilm.dim), 3))
    nn.init.normal_(network.head.linear.weight)
    network.open(network.top(1))
    network.eval()
    ids, mask = torch.randint(1000, 2000, (6, 7)), torch.ones(6, 7, dtype=torch.int64)
    mask[2, 4:] = 0
    batch = Batch((ids, mask), torch.arange(6) % 3, torch.ones(6))
    heard = Listening(network)
    step = Step(network, "classification", Supervised(), Supervised().start(network), replace(PLAIN, mixup=1.0))
    value = step(sgd(network), heard, batch, Shares(0.3))
    assert torch.equal(heard.seen[0][0], ids)
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
import test_step as tests
from dataclasses import replace
from headstart.backbones.load import load
from headstart.tune.top import Top
backbone = load("timm:test_resnet?weights=random")
network = tests.network_of(backbone)
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


def test_bfloat16_calculates_near_float32_and_keeps_the_weights_in_it():
    """In a process that is told to leave AMX alone: there are machines that have it and die of it."""
    where = os.path.dirname(__file__)
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}
    command = [sys.executable, "-c", HALF, where]
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, cwd=os.path.dirname(where)
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "2"


def test_what_has_no_gradient_is_no_obstacle(backbone):
    network = network_of(backbone)
    network.open(network.top(0))
    assert set(stepped(network, replace(PLAIN, clip=1.0))[1]) == {"head.linear.weight", "head.linear.bias"}
    assert Top(stages=0).moves == "weights"
