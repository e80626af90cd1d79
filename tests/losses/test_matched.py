"""MMD, covariances, class confusion and the graph against naive computations, and what they are at their least."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from domains import pass_of

from headstart.losses.dan import DAN, mmd
from headstart.losses.deep_coral import DeepCoral, coral
from headstart.losses.graph import Graph, edges, roughness
from headstart.losses.mcc import MCC, confusion
from headstart.losses.penalty import Context
from headstart.tasks import REGRESSION

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 4)), RNG.normal(size=(9, 4)) * 1.5 + 0.5
TARGET = np.array([False] * 6 + [True] * 9)


def tensors(*arrays):
    return tuple(torch.from_numpy(one) for one in arrays)


def kernel_mean(ones, others, s, kernels):
    """The mean of k over all pairs, by two loops."""
    total = 0.0
    for a in ones:
        for b in others:
            apart = sum((a - b) ** 2)
            total += sum(math.exp(-apart / (2 ** (j - (kernels - 1) / 2) * s)) for j in range(kernels)) / kernels
    return total / (len(ones) * len(others))


@pytest.mark.parametrize("kernels", [1, 2, 5])
def test_mmd_is_that_of_two_loops_and_0_of_the_same_rows(kernels):
    Z = np.concatenate([X, Y])
    s = np.mean([[sum((a - b) ** 2) for b in Z] for a in Z])
    expected = kernel_mean(X, X, s, kernels) + kernel_mean(Y, Y, s, kernels) - 2 * kernel_mean(X, Y, s, kernels)
    x, y = tensors(X, Y)
    assert mmd(x, y, kernels).item() == pytest.approx(expected, rel=1e-9)
    assert expected > 0.05
    assert mmd(x, x, kernels).item() == pytest.approx(0, abs=1e-12)
    assert mmd(x[:1], x[:1], kernels).item() == pytest.approx(0, abs=1e-12)
    assert mmd(10 * x, 10 * y, kernels).item() == pytest.approx(expected, rel=1e-9)  # units do not count


def test_coral_is_that_of_numpys_covariances():
    x, y = tensors(X, Y)
    apart = np.cov(X, rowvar=False) - np.cov(Y, rowvar=False)
    assert coral(x, y).item() == pytest.approx((apart**2).sum() / (4 * 4**2), rel=1e-9)
    assert coral(x, x + 3).item() == pytest.approx(0, abs=1e-20)
    assert coral(x[:1], y).item() == pytest.approx((np.cov(Y, rowvar=False) ** 2).sum() / 64, rel=1e-9)


def naive_confusion(z, T):
    """Jin et al., equations 2 to 6, entry by entry."""
    n, C = z.shape
    Y_ = [[math.exp(v / T) / sum(math.exp(u / T) for u in row) for v in row] for row in z]
    raw = [1 + math.exp(sum(p * math.log(p) for p in row)) for row in Y_]
    W = [n * one / sum(raw) for one in raw]
    confused = [[sum(Y_[i][j] * W[i] * Y_[i][k] for i in range(n)) for k in range(C)] for j in range(C)]
    return sum(confused[j][k] / sum(confused[j]) for j in range(C) for k in range(C) if j != k) / C


@pytest.mark.parametrize("T", [1.0, 2.5])
def test_confusion_is_the_papers(T):
    z = 3 * X
    assert confusion(torch.from_numpy(z), T).item() == pytest.approx(naive_confusion(z, T), rel=1e-6)


def test_sure_answers_confuse_nothing_and_unsure_ones_all():
    sure = 1e3 * torch.eye(3).repeat(2, 1)
    assert confusion(sure, 2.5).item() == pytest.approx(0, abs=1e-6)
    assert confusion(torch.zeros(4, 3), 2.5).item() == pytest.approx(2 / 3, rel=1e-6)
    assert confusion(1e3 * torch.eye(3)[:1], 2.5).isfinite()  # two classes that nobody names


def naive_edges(x, k):
    apart = np.array([[sum((a - b) ** 2) for b in x] for a in x])
    near = np.zeros_like(apart, bool)
    for i, row in enumerate(apart):
        others = [j for j in np.argsort(row, kind="stable") if j != i]
        near[i, others[:k]] = True
    return np.where(near | near.T, np.exp(-apart / apart.mean()), 0)


@pytest.mark.parametrize("k", [1, 3, 99])
def test_the_graph_is_the_trace_of_the_laplacian(k):
    W = naive_edges(Y, k)
    found = edges(torch.from_numpy(Y), k)
    np.testing.assert_allclose(found, W, atol=1e-12)
    F = np.random.default_rng(1).normal(size=(9, 2))
    L = np.diag(W.sum(1)) - W
    assert roughness(torch.from_numpy(F), found).item() == pytest.approx(np.trace(F.T @ L @ F) / W.sum(), rel=1e-9)
    assert roughness(torch.ones(9, 2).double(), found).item() == pytest.approx(0, abs=1e-12)


def features_of(network):
    x = np.random.default_rng(1).normal(size=(15, network.head.linear.in_features))
    return torch.from_numpy(x).float().requires_grad_()


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_the_costs_are_of_the_features_as_the_head_sees_them_or_of_what_it_says(network, scale):
    with torch.no_grad():
        network.head.mean.fill_(0.3)
        network.head.scale.fill_(scale)
    features = features_of(network)
    x = (features.detach().double() - 0.3) / scale
    logits = network.head(features).detach().double()
    found = pass_of(network, features, TARGET)
    s, t = x[:6], x[6:]
    expected = {
        DAN(weight=2.0, kernels=3): 2 * mmd(s, t, 3),
        DeepCoral(weight=3.0): 3 * coral(logits[:6], logits[6:]),
        MCC(weight=2.0, temperature=1.5): 2 * confusion(logits[6:], 1.5),
        Graph(weight=4.0, neighbours=2): 4 * roughness(logits.softmax(1), edges(x, 2)),
    }
    for loss, value in expected.items():
        cost = loss.start(Context(network)).batch(found)
        assert cost.item() == pytest.approx(value.item(), rel=1e-4), loss
        features.grad = None
        cost.backward(retain_graph=True)
        assert features.grad.abs().sum() > 0
        if isinstance(loss, MCC):
            assert not features.grad[:6].any()
    values = found._replace(kind=REGRESSION)
    cost = Graph(weight=1.0).start(Context(network)).batch(values).item()
    assert cost == pytest.approx(roughness(logits, edges(x, 5)).item(), rel=1e-4)


@pytest.mark.parametrize("loss", [DAN(), DeepCoral(), Graph()], ids=lambda loss: type(loss).__name__)
def test_half_precision_is_left_to_the_network(network, loss):
    features = features_of(network)
    found = pass_of(network, features, TARGET)
    expected = loss.start(Context(network)).batch(found)
    with torch.autocast("cpu", torch.bfloat16):
        assert loss.start(Context(network)).batch(found).item() == expected.item()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: DAN(kernels=0), "kernels = 0: expected 1 or more"),
        (lambda: DAN(weight=-1.0), "weight = -1.0: expected 0 or more"),
        (lambda: DeepCoral(weight=math.nan), "weight = nan: expected 0 or more"),
        (lambda: MCC(temperature=0.0), "temperature = 0.0: expected more than 0"),
        (lambda: MCC(temperature=math.nan), "temperature = nan: expected more than 0"),
        (lambda: Graph(neighbours=0), "neighbours = 0: expected 1 or more"),
    ],
)
def test_options_that_mean_nothing_are_refused(make, why):
    with pytest.raises(ValueError, match=why):
        make()
