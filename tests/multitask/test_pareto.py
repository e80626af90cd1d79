"""The two functions of the toy of CAGrad (Liu et al., 2021, appendix B): from the published starts to the Pareto front.

Its front is the segment between the two minima, x1 from -7 to 7 at x2 of about -8.4, where the gradients are opposite.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from headstart.multitask.cagrad import averse
from headstart.multitask.pcgrad import projected

STARTS = [(-8.5, 7.5), (-8.5, -5.0), (9.0, 9.0)]
LOWEST = 5e-6


def gradients(x1, x2):
    """G (2, 2) of f_i = c_1 log|a_i| + c_2 q_i, by hand; the constants are those of the authors' script."""
    t, sech = math.tanh(-x2), 1 - math.tanh(x2) ** 2
    half = math.tanh(0.5 * x2)
    c_1, c_2, slope = max(half, 0.0), max(-half, 0.0), 0.5 * (1 - half**2)
    up, down = slope * (x2 > 0), -slope * (x2 < 0)
    rows = []
    for a, da2, centre in ((0.5 * (-x1 - 7) - t, sech, 7.0), (0.5 * (-x1 + 3) + t + 2, -sech, -7.0)):
        there = abs(a) > LOWEST
        log = math.log(max(abs(a), LOWEST)) + 6
        d1, d2 = (-0.5 / a, da2 / a) if there else (0.0, 0.0)
        q = ((x1 - centre) ** 2 + 0.1 * (x2 + 8) ** 2) / 10 - 20
        rows.append([c_1 * d1 + c_2 * (x1 - centre) / 5, c_1 * d2 + up * log + c_2 * (x2 + 8) / 50 + down * q])
    return np.array(rows)


def values(x1, x2):
    half, t = math.tanh(0.5 * x2), math.tanh(-x2)
    c_1, c_2 = max(half, 0.0), max(-half, 0.0)
    logs = [0.5 * (-x1 - 7) - t, 0.5 * (-x1 + 3) + t + 2]
    squares = [((x1 - centre) ** 2 + 0.1 * (x2 + 8) ** 2) / 10 - 20 for centre in (7.0, -7.0)]
    return np.array([c_1 * (math.log(max(abs(a), LOWEST)) + 6) + c_2 * q for a, q in zip(logs, squares, strict=True)])


def descended(start, combine, steps, rate):
    """Adam, as the authors descend; its constants are torch's."""
    x, m, v = np.array(start), np.zeros(2), np.zeros(2)
    for step in range(1, steps + 1):
        G = gradients(*x)
        d = combine(torch.from_numpy(G @ G.T)).numpy() @ G
        m, v = 0.9 * m + 0.1 * d, 0.999 * v + 0.001 * d**2
        x = x - rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return x


def from_the_front(x):
    """How near to 0 the gradients can be mixed, in units of the longer one: 0 on the front."""
    G = gradients(*x)
    share = np.linspace(0, 1, 2001)[:, None]
    return float(np.linalg.norm(share * G[0] + (1 - share) * G[1], axis=1).min() / np.linalg.norm(G, axis=1).max())


WAYS = {
    "pcgrad": lambda K: projected(K, [range(2)] * 2),
    "cagrad": lambda K: averse(K, 0.5),
}


def test_the_gradients_are_those_of_the_functions():
    for x in [*STARTS, (1.3, -2.0), (-3.0, 0.4)]:
        steps = 1e-6 * np.eye(2)
        numeric = [(values(*(x + step)) - values(*(x - step))) / 2e-6 for step in steps]
        np.testing.assert_allclose(gradients(*x), np.transpose(numeric), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS, ids=str)
@pytest.mark.parametrize("name", WAYS)
def test_the_pareto_front_is_reached_from_the_published_starts(name, start):
    x = descended(start, WAYS[name], 8000, 0.02)
    assert from_the_front(x) < 0.005
    assert abs(x[0]) < 7.1
    assert x[1] == pytest.approx(-8.4, abs=0.15)


@pytest.mark.parametrize("name", WAYS)
def test_the_front_is_reached_from_the_start_between_the_two_valleys(name):
    x = descended(STARTS[1], WAYS[name], 800, 0.05)
    assert from_the_front(x) < 0.05
