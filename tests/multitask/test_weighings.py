"""Each way to weigh the losses of several tasks against the authors' formula written naively, and a property of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from headstart.multitask.cagrad import CAGrad, averse, worst
from headstart.multitask.dwa import DWA, dynamic
from headstart.multitask.gradnorm import GradNorm, renewed
from headstart.multitask.imtl import impartial
from headstart.multitask.nash_mtl import bargained
from headstart.multitask.pcgrad import projected
from headstart.multitask.uncertainty import uncertain
from headstart.multitask.weighing import gram
from headstart.multitask.weighted import Weighted, weighted

TASKS, WEIGHTS = 3, 5


def gradients(seed=0, tasks=TASKS, against=1.0):
    """G (T, P), of which the first two oppose each other."""
    G = torch.randn(tasks, WEIGHTS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    G[1] -= against * G[0]
    return G


def naive_pcgrad(G, orders):
    total = torch.zeros(G.shape[1], dtype=G.dtype)
    for i, order in enumerate(orders):
        g = G[i].clone()
        for j in order:
            if j != i and torch.dot(g, G[j]) < 0:
                g = g - torch.dot(g, G[j]) / G[j].norm() ** 2 * G[j]
        total = total + g
    return total


@pytest.mark.parametrize("seed", range(4))
def test_pcgrad_projects_as_algorithm_1_does(seed):
    G = gradients(seed)
    orders = [np.random.default_rng(seed + i).permutation(TASKS).tolist() for i in range(TASKS)]
    torch.testing.assert_close(projected(gram(G), orders) @ G, naive_pcgrad(G, orders))


def test_pcgrad_of_gradients_that_do_not_oppose_is_their_sum():
    G = torch.eye(TASKS, WEIGHTS, dtype=torch.float64) + 0.1
    torch.testing.assert_close(projected(gram(G), [range(TASKS)] * TASKS) @ G, G.sum(0))


def test_pcgrad_of_two_tasks_opposes_neither():
    for seed in range(5):
        G = gradients(seed, tasks=2)
        d = projected(gram(G), [range(2)] * 2) @ G
        assert (G @ d >= -1e-12).all()


def on_simplex(tasks, parts):
    return [np.array(p) / parts for p in itertools.product(range(parts + 1), repeat=tasks) if sum(p) == parts]


@pytest.mark.parametrize("c", [0.0, 0.5, 0.9])
def test_cagrad_is_the_direction_of_the_paper(c):
    """d = g_0 + sqrt(phi) / |g_w| g_w, with the best w of a fine grid."""
    G = gradients(1)
    g_0 = G.mean(0)
    radius = c * g_0.norm()

    def dual(w):
        g_w = torch.from_numpy(w) @ G
        return float(g_w @ g_0 + radius * g_w.norm())

    best = min(on_simplex(TASKS, 100), key=dual)
    assert dual(worst(gram(G).numpy(), c)) <= dual(best) + 1e-6
    g_w = torch.from_numpy(worst(gram(G).numpy(), c)) @ G
    torch.testing.assert_close(averse(gram(G), c) @ G, g_0 + radius / g_w.norm() * g_w, rtol=1e-6, atol=1e-8)


def test_cagrad_serves_the_worst_off_better_than_the_mean_within_its_ball():
    for seed in range(5):
        G = gradients(seed, against=2.0)
        g_0, d = G.mean(0), averse(gram(G), 0.5) @ G
        assert float((d - g_0).norm()) == pytest.approx(0.5 * float(g_0.norm()), rel=1e-6)
        rng = np.random.default_rng(seed)
        others = [
            g_0 + 0.5 * g_0.norm() * torch.from_numpy(u / np.linalg.norm(u)) for u in rng.normal(size=(200, WEIGHTS))
        ]
        assert float((G @ d).min()) >= max(float((G @ other).min()) for other in others) - 1e-6


def test_cagrad_without_a_ball_is_the_mean():
    G = gradients()
    torch.testing.assert_close(averse(gram(G), 0.0) @ G, G.mean(0))
    with pytest.raises(ValueError, match="c = 1"):
        CAGrad(c=1.0)


def test_cagrad_stands_still_where_the_gradients_cancel():
    for seed in range(20):
        g = gradients(seed)[0]
        d = averse(gram(torch.stack([g, -g * (1 + 1e-16)])), 0.5) @ torch.stack([g, -g])
        assert float(d.norm()) < 1e-6 * float(g.norm())
    K = torch.tensor([[1.0, -1.0 - 1e-15], [-1.0 - 1e-15, 1.0]], dtype=torch.float64)
    assert averse(K, 0.5).isfinite().all()


@pytest.mark.parametrize("tasks", [2, 3, 5])
def test_nash_solves_its_equation_and_each_task_gains_alike(tasks):
    G = gradients(tasks=tasks, against=0.5)
    alpha = bargained(gram(G))
    assert (alpha > 0).all()
    torch.testing.assert_close(gram(G) @ alpha, 1 / alpha, rtol=1e-8, atol=1e-8)
    assert float((alpha @ G).norm() ** 2) == pytest.approx(tasks)


def test_nash_is_the_same_step_whatever_the_units_of_the_losses():
    G, units = gradients(), torch.tensor([1.0, 100.0, 0.01], dtype=torch.float64)
    scaled = units[:, None] * G
    torch.testing.assert_close(bargained(gram(scaled)) @ scaled, bargained(gram(G)) @ G, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("tasks", [2, 3, 5])
def test_imtl_is_the_closed_form_and_goes_as_far_along_each(tasks):
    G = gradients(tasks=tasks, against=0.5)
    u = G / G.norm(dim=1, keepdim=True)
    U, D = u[0] - u[1:], G[0] - G[1:]
    rest = G[0] @ U.T @ torch.linalg.inv(D @ U.T)
    expected = torch.cat([1 - rest.sum()[None], rest])
    torch.testing.assert_close(impartial(gram(G)), expected)
    along = u @ (impartial(gram(G)) @ G)
    torch.testing.assert_close(along, along[0].expand(tasks))


def test_uncertainty_is_equation_7_and_weighs_by_the_inverse_of_the_loss():
    losses, numbers = torch.tensor([4.0, 0.5]), torch.tensor([True, False])
    s = torch.tensor([0.3, -0.2], requires_grad=True)
    sigma = torch.exp(s / 2)
    expected = losses[0] / (2 * sigma[0] ** 2) + torch.log(sigma[0]) + losses[1] / sigma[1] ** 2 + torch.log(sigma[1])
    torch.testing.assert_close(uncertain(losses, s, numbers), expected)
    best = torch.log(torch.tensor([4.0, 1.0])).requires_grad_()  # sigma^2 = L of numbers, 2 L of classes
    (gradient,) = torch.autograd.grad(uncertain(losses, best, numbers), best)
    torch.testing.assert_close(gradient, torch.zeros(2))


def test_dwa_is_equation_7():
    last, before, tau = torch.tensor([1.0, 2.0, 0.5]), torch.tensor([2.0, 2.0, 4.0]), 2.0
    ratios = [float(a / b) for a, b in zip(last, before, strict=True)]
    shares = [np.exp(r / tau) / sum(np.exp(o / tau) for o in ratios) for r in ratios]
    torch.testing.assert_close(dynamic(last, before, tau), 3 * torch.tensor(shares, dtype=torch.float32))
    torch.testing.assert_close(dynamic(before, before, tau), torch.ones(3))
    with pytest.raises(ValueError, match="temperature = 0"):
        DWA(temperature=0.0)


def test_gradnorm_goes_down_the_gradient_of_equation_2():
    norms, progress = torch.tensor([3.0, 1.0, 0.5]).double(), torch.tensor([0.9, 0.5, 1.2]).double()
    w = torch.tensor([0.8, 1.5, 0.7]).double().requires_grad_()
    G = w * norms
    m = G.mean().detach()
    r = progress / progress.mean()
    (slope,) = torch.autograd.grad((G - m * r**1.5).abs().sum(), w)
    expected = w.detach() - 0.025 * slope / m
    expected = expected / expected.sum() * 3
    torch.testing.assert_close(renewed(w.detach(), norms, progress, alpha=1.5, rate=0.025), expected)


def test_gradnorm_brings_gradients_to_one_length_where_tasks_learn_alike():
    w, norms = torch.ones(3).double(), torch.tensor([4.0, 1.0, 0.5]).double()
    for _ in range(1000):
        w = renewed(w, norms, torch.ones(3).double(), alpha=0.0, rate=0.005)
    lengths = w * norms
    assert float(lengths.max() / lengths.min()) < 1.5  # 8 at first
    assert float(w.sum()) == pytest.approx(3)
    with pytest.raises(ValueError, match="alpha = -1"):
        GradNorm(alpha=-1.0)


def test_fixed_weights_add_up():
    assert float(weighted(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 0.5]))) == 3.0
    assert Weighted(weights="2:0.5")._parsed(2).tolist() == [2.0, 0.5]
    assert Weighted()._parsed(3).tolist() == [1.0, 1.0, 1.0]
    for wrong in ("2", "a:b", "-1:1", "0:0"):
        with pytest.raises(ValueError, match="expected 2 numbers from 0 up, such as 1:1"):
            Weighted(weights=wrong)._parsed(2)
