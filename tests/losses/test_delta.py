"""DELTA and the spectral tail against naive computations, and the network as it was afterwards."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small import Rows, data_of, noise

from headstart.errors import TrainingError
from headstart.finetuning.full import Full
from headstart.finetuning.top import Top
from headstart.losses.delta import Delta, spectral_tail
from headstart.losses.l2_sp import L2SP
from headstart.losses.penalty import Context, Pass
from headstart.tasks import CLASSIFICATION
from headstart.training.checkpoint import Journal
from headstart.training.loop import train
from headstart.training.options import Training
from headstart.training.step import Batch, Step

X = noise(6)


def moved(network, size=0.01):
    torch.manual_seed(1)
    with torch.no_grad():
        for weights in network.backbone.parameters():
            weights.add_(size * torch.randn_like(weights))


def maps(backbone, x):
    """What each stage of timm's test_resnet makes of x, by calling the stages one after the other."""
    found = []
    x = backbone.bn1(backbone.conv1(x))
    found.append(x)
    x = backbone.maxpool(backbone.act1(x))
    for stage in (backbone.layer1, backbone.layer2, backbone.layer3, backbone.layer4):
        x = stage(x)
        found.append(x)
    return found, backbone.global_pool(x)


@pytest.mark.parametrize("shrink", [0.0, 0.5])
def test_the_cost_is_the_naive_one(network, backbone, shrink):
    regular = Delta(weight=0.7, shrink=shrink, smallest=2).start(Context(network))
    moved(network)
    network.open(network.stages)
    network.eval()
    features = network.backbone(X)
    found = regular.batch(Pass((X,), features, features, CLASSIFICATION))
    with torch.no_grad():
        now, pooled = maps(network.backbone, X)
        then, _ = maps(backbone.module, X)
    assert len(now) == len(network.stages) - 1
    torch.testing.assert_close(pooled, features.detach(), atol=1e-5, rtol=1e-4)
    apart = sum(
        ((a - b).double().numpy() ** 2)[i].sum() / a[i].numel() / len(X)
        for a, b in zip(now, then, strict=True)
        for i in range(len(X))
    )
    tail = (np.linalg.svd(features.detach().double().numpy(), compute_uv=False)[-2:] ** 2).sum()
    assert apart > 1e-4
    assert found.item() == pytest.approx(0.7 * apart + shrink * tail, rel=1e-4)
    found.backward()
    assert all(weights.grad is not None for weights in network.backbone.parameters())
    regular.close()


def test_nothing_has_moved_at_the_beginning(network):
    regular = Delta(shrink=0.0).start(Context(network))
    network.open(network.stages)
    network.eval()
    assert regular.batch(Pass((X,), network.backbone(X), X, CLASSIFICATION)).item() == 0
    regular.close()


@pytest.mark.parametrize("micro", [1, 4])
def test_parts_of_a_batch_add_up(network, micro):
    """The distance of maps is a mean over rows; singular values are of what goes through at once. In float64, where no
    unit stands on the kink of its ReLU."""
    network.backbone.double()
    moved_, values = [], []
    for some in (0, micro):
        regular = Delta(shrink=0.0, weight=3.0)
        training = Training(margin=0, batch=6, micro=some, clip=0.0, precision="float32")
        step = Step(network, CLASSIFICATION, regular, regular.start(Context(network)), training)
        if not some:
            state = {name: value.clone() for name, value in network.state_dict().items()}
        network.load_state_dict(state)
        step.penalty.close()
        step.penalty = regular.start(Context(network))
        moved(network)
        network.open(network.stages)
        network.eval()
        optimise = torch.optim.SGD(network.parameters(), lr=0.0)
        batch = Batch((X.double(),), torch.arange(6) % 3, torch.linspace(1, 1, 6))
        values.append(step(optimise, network.backbone, batch, np.random.default_rng(0)))
        moved_.append([weights.grad.clone() for weights in network.parameters()])
        step.penalty.close()
    assert values[0] == pytest.approx(values[1], rel=1e-4)
    for one, other in zip(*moved_, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4 * float(other.abs().max()) + 1e-8, rtol=1e-3)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (1, 3)])
@pytest.mark.parametrize("smallest", [1, 2, 99])
def test_the_tail_is_that_of_numpys_singular_values(shape, smallest):
    features = np.random.default_rng(0).standard_normal(shape)
    values = np.linalg.svd(features, compute_uv=False)
    expected = (np.sort(values)[:smallest] ** 2).sum()
    tensor = torch.from_numpy(features).float().requires_grad_()
    found = spectral_tail(tensor, smallest)
    assert found.item() == pytest.approx(expected, rel=1e-4)
    found.backward()
    left, values, right = np.linalg.svd(features, full_matrices=False)
    values[: -min(smallest, len(values))] = 0
    np.testing.assert_allclose(tensor.grad, 2 * left @ np.diag(values) @ right, atol=1e-4)


def test_the_tail_of_what_is_not_finite_is_no_error():
    features = torch.ones(3, 2)
    features[1, 1] = torch.nan
    assert spectral_tail(features, 1).isnan()


def hooks(network):
    return [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules()]


@pytest.mark.parametrize("tune", [Top(stages=1), Full()], ids=repr)
def test_a_training_leaves_no_hooks_and_the_source_as_it_was(network, backbone, tune):
    given = {name: value.clone() for name, value in backbone.module.state_dict().items()}
    before = hooks(network)
    data = data_of(Rows(X), range(4), range(4, 6))
    training = Training(margin=0, epochs=2, batch=4, augment=False)
    train(network, data, tune, Delta(), training, Journal(None))
    assert hooks(network) == before
    assert all(torch.equal(value, given[name]) for name, value in backbone.module.state_dict().items())
    broken = X.clone()
    broken[:] = torch.nan
    with pytest.raises(TrainingError, match="the loss is not finite in epoch 1, step 1"):
        train(network, data._replace(inputs=Rows(broken)), tune, Delta(), training, Journal(None))
    assert hooks(network) == before


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"weight": -1.0}, "weight = -1.0: expected 0 or more"),
        ({"shrink": float("nan")}, "shrink = nan: expected 0 or more"),
        ({"smallest": 0}, "smallest = 0: expected 1 or more"),
        ({"l1": -1.0}, "l1 = -1.0: expected 0 or more"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, why):
    with pytest.raises(ValueError, match=why):
        Delta(**options)


@pytest.mark.parametrize("name", ["weight", "head"])
def test_l2_sp_refuses_a_weight_below_nothing(name):
    with pytest.raises(ValueError, match=f"{name} = -1.0: expected 0 or more"):
        L2SP(**{name: -1.0})
