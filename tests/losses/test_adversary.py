"""The reversed gradient by hand, the schedule, and the adversary of DANN and CDAN against naive computations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from domains import domains_of, pass_of
from torch import nn

from headstart.losses.adversary import adversary, ramp, reverse, told_apart
from headstart.losses.cdan import CDAN, Product, certainty
from headstart.losses.dann import DANN
from headstart.losses.penalty import Context
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.training.options import Training

TARGET = np.array([False, True, False, True, True])


def drawn(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape)).float()


def test_the_gradient_is_turned_round_and_the_values_are_not():
    x = drawn(4, 3).requires_grad_()
    w = drawn(3, seed=1).requires_grad_()
    same = reverse(x, 0.3)
    assert torch.equal(same, x)
    ((same @ w) ** 2).sum().backward()
    out = x.detach() @ w.detach()
    torch.testing.assert_close(x.grad, -0.3 * 2 * out[:, None] * w.detach())
    torch.testing.assert_close(w.grad, (2 * out[:, None] * x.detach()).sum(0))
    assert not reverse(x.detach(), 0.3).requires_grad


def test_what_else_comes_back_to_the_features_is_not_reversed():
    x = drawn(4, 3).requires_grad_()
    (reverse(x, 2.0).sum() + 5 * x.sum()).backward()
    assert torch.equal(x.grad, torch.full((4, 3), 3.0))


def test_the_schedule_is_the_papers():
    assert ramp(0.0, 10.0) == 0.0
    assert ramp(0.3, 10.0) == pytest.approx(2 / (1 + math.exp(-3)) - 1)
    assert ramp(1.0, 10.0) == pytest.approx(0.99990920)
    assert ramp(1.0, 0.0) == 0.0


def naive_loss(said, target, weights):
    """The cross-entropy of the domains, one row after the other."""
    means = []
    for domain in (False, True):
        total = weight = 0.0
        for z, t, w in zip(said, target, weights, strict=True):
            if t == domain:
                p = 1 / (1 + math.exp(-z))
                total += w * -math.log(p if domain else 1 - p)
                weight += w
        means.append(total / weight)
    return sum(means) / 2


def test_the_domains_count_alike_however_many_rows_they_have():
    said, weights = drawn(5), drawn(5, seed=2).abs()
    target = torch.from_numpy(TARGET)
    assert told_apart(said, target).item() == pytest.approx(naive_loss(said.tolist(), TARGET, [1] * 5), rel=1e-5)
    found = told_apart(said, target, weights).item()
    assert found == pytest.approx(naive_loss(said.tolist(), TARGET, weights.tolist()), rel=1e-5)


def said_by(module, x):
    """What an adversary says, in numpy, layer by layer."""
    for layer in module:
        if isinstance(layer, nn.Linear):
            x = x @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()
        else:
            x = np.maximum(x, 0)
    return x[:, 0]


def test_dann_is_the_naive_loss_and_its_gradients_have_opposite_signs(network):
    regular = DANN(weight=0.7, sharp=4.0, width=8).start(Context(network, 3))
    features = drawn(5, network.head.linear.in_features).requires_grad_()
    told = regular.helper.module
    found = regular.batch(pass_of(network, features, TARGET, done=0.25))
    said = said_by(told, features.detach().double().numpy())
    assert found.item() == pytest.approx(naive_loss(said, TARGET, [1] * 5), rel=1e-5)
    found.backward()
    plain = features.detach().clone().requires_grad_()
    told_apart(told(plain)[:, 0], torch.from_numpy(TARGET)).backward()
    torch.testing.assert_close(features.grad, -0.7 * ramp(0.25, 4.0) * plain.grad, atol=1e-8, rtol=1e-4)


@pytest.mark.parametrize("entropy", [False, True])
def test_cdan_is_the_naive_loss_of_the_products(network, entropy):
    regular = CDAN(entropy=entropy, width=8).start(Context(network, 3))
    features = drawn(5, network.head.linear.in_features).requires_grad_()
    found = regular.batch(pass_of(network, features, TARGET))
    f = features.detach().double().numpy()
    z = network.head(features).detach().double().numpy()
    g = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    h = np.array([np.outer(g[i], f[i]).ravel() for i in range(5)])
    H = [-sum(p * math.log(p) for p in row) for row in g]
    weights = [1 + math.exp(-one) for one in H] if entropy else [1] * 5
    expected = naive_loss(said_by(regular.helper.module, h), TARGET, weights)
    assert found.item() == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(certainty(torch.from_numpy(g)), [1 + math.exp(-one) for one in H])


def test_a_large_product_is_drawn_and_keeps_inner_products():
    """E[h . h'] = (f . f') (g . g'), Long et al., equation 7."""
    f, g = drawn(2, 40), drawn(2, 30, seed=1).softmax(1)
    plain, many = Product(40, 30, 4096, 0)(f, g), Product(40, 30, 1100, 0)(f, g)
    assert plain.shape == (2, 1200)
    assert many.shape == (2, 1100)
    torch.testing.assert_close(plain @ plain.T, (f @ f.T) * (g @ g.T))
    drawn_ = torch.stack([Product(40, 30, 1100, seed)(f, g) for seed in range(60)])
    mean = (drawn_ @ drawn_.transpose(1, 2)).mean(0)
    torch.testing.assert_close(mean, plain @ plain.T, rtol=0.1, atol=0.1)


def test_the_adversary_is_drawn_from_its_own_seed():
    like = torch.zeros(1)
    state = torch.get_rng_state()
    one, same, other = (adversary(4, 8, seed, like).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, same[key]) for key, value in one.items())
    assert not any(torch.equal(value, other[key]) for key, value in one.items())


def test_certain_rows_count_more():
    both = domains_of(drawn(4, 2), torch.tensor([[9.0, 0], [0, 0], [9, 0], [0, 0]]), [False, False, True, True])
    w = certainty(both.logits.softmax(1))
    assert w[0] > w[1] * 1.3


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: DANN(weight=-1.0), "weight = -1.0: expected 0 or more"),
        (lambda: DANN(weight=math.nan), "weight = nan: expected 0 or more"),
        (lambda: DANN(sharp=-1.0), "sharp = -1.0: expected 0 or more"),
        (lambda: DANN(width=0), "width = 0: expected 1 or more"),
        (lambda: DANN(rate=0.0), "rate = 0.0: expected more than 0"),
        (lambda: CDAN(rate=-2.0), "rate = -2.0: expected more than 0"),
        (lambda: CDAN(most=0), "most = 0: expected 1 or more"),
        (lambda: CDAN(weight=-0.1), "weight = -0.1: expected 0 or more"),
    ],
)
def test_options_that_mean_nothing_are_refused(make, why):
    with pytest.raises(ValueError, match=why):
        make()


def test_what_the_losses_are_for_is_said():
    with pytest.raises(ValueError, match="CDAN is for classification, and this task is a regression"):
        CDAN().suits(REGRESSION, mixup=0.0)
    with pytest.raises(ValueError, match=r"mixup = 0\.2: DANN compares rows of two tasks, and mixed rows are of both"):
        DANN().suits(CLASSIFICATION, mixup=Training(mixup=0.2).mixup)
    DANN().suits(REGRESSION, mixup=0.0)


def test_one_task_alone_cannot_be_compared(network):
    features = drawn(5, network.head.linear.in_features)
    alone = pass_of(network, features, TARGET)._replace(target=None)
    with pytest.raises(ValueError, match="this loss compares two tasks, and there is only one"):
        DANN().start(Context(network)).batch(alone)
