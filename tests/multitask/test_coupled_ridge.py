"""Multi-task feature learning against the objective of the paper, written naively."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from headstart.multitask.coupled_ridge import couple, equations, even, metric_of, solve

GAMMA, EPSILON = 0.3, 1e-3


def problem(seed=0, tasks=3, rows=8, width=5):
    """Tasks of 8 x 5 rows of their own, one of which has two columns of answers."""
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(rows + task, width)) + 1 for task in range(tasks)]
    Y = [rng.normal(size=(len(x), 1 + (task == 1))) for task, x in enumerate(X)]
    return X, Y


def naive(X, Y, W, b, D):
    """The objective, sum by sum."""
    loss = sum(
        np.mean([np.square(y[i] - b_t - W_t.T @ x[i]).sum() for i in range(len(x))])
        for x, y, W_t, b_t in zip(X, Y, W, b, strict=True)
    )
    whole = np.hstack(W)
    inverse = np.linalg.inv(D)
    return loss + GAMMA * np.trace(whole.T @ inverse @ whole) + GAMMA * EPSILON * np.trace(inverse)


def fitted(close=1e-14, most=5000):
    X, Y = problem()
    tasks = [equations(x, y) for x, y in zip(X, Y, strict=True)]
    found = couple(tasks, GAMMA, EPSILON, close=close, most=most)
    b = [task.mean - W.T @ task.x for task, W in zip(tasks, found.weights, strict=True)]
    return X, Y, found, b, found.metric.times(np.eye(5))


def test_the_objective_is_that_of_the_paper_and_falls_at_every_pair_of_steps():
    X, Y, found, b, D = fitted()
    assert found.objective[-1] == pytest.approx(naive(X, Y, found.weights, b, D), rel=1e-9)
    assert np.trace(D) == pytest.approx(1)
    assert (np.diff(found.objective) <= 1e-12).all()
    assert len(found.objective) > 5


def test_nothing_near_is_lower():
    X, Y, found, b, D = fitted()
    lowest, rng = naive(X, Y, found.weights, b, D), np.random.default_rng(1)
    for _ in range(50):
        W = [w + 1e-3 * rng.normal(size=w.shape) for w in found.weights]
        turn = rng.normal(size=(5, 5)) * 1e-3
        other = D + turn @ turn.T + 1e-4 * (turn + turn.T)
        other = other / np.trace(other)
        if np.linalg.eigvalsh(other).min() <= 0:
            continue
        assert naive(X, Y, W, [c + 1e-3 * rng.normal(size=c.shape) for c in b], other) > lowest


def test_the_step_of_the_metric_is_the_root_over_its_trace():
    W = np.random.default_rng(2).normal(size=(5, 3))
    root = np.real(sqrtm(W @ W.T + EPSILON * np.eye(5)))
    np.testing.assert_allclose(metric_of(W, EPSILON).times(np.eye(5)), root / np.trace(root), atol=1e-12)


@pytest.mark.parametrize("width", [5, 12])
def test_the_step_of_the_weights_is_ridge_in_that_metric(width):
    X, Y = problem(width=width)
    metric = metric_of(np.random.default_rng(3).normal(size=(width, 2)), EPSILON)
    inverse = np.linalg.inv(metric.times(np.eye(width)))
    for x, y in zip(X, Y, strict=True):
        R, centred = (x - x.mean(0)) / len(x) ** 0.5, (y - y.mean(0)) / len(x) ** 0.5
        expected = np.linalg.solve(R.T @ R + GAMMA * inverse, R.T @ centred)
        np.testing.assert_allclose(solve(equations(x, y), metric, GAMMA), expected, atol=1e-10)


def test_weights_of_rows_are_repetitions():
    (x, *_), (y, *_) = problem()
    times = np.array([1, 2, 1, 3, 1, 1, 2, 1])
    once = solve(equations(x, y, times.astype(float)), even(5), GAMMA)
    again = solve(equations(np.repeat(x, times, 0), np.repeat(y, times, 0)), even(5), GAMMA)
    np.testing.assert_allclose(once, again, atol=1e-12)


def test_a_large_epsilon_leaves_each_task_alone():
    X, Y = problem()
    tasks = [equations(x, y) for x, y in zip(X, Y, strict=True)]
    coupled = couple(tasks, GAMMA, 1e8)
    for task, W in zip(tasks, coupled.weights, strict=True):
        np.testing.assert_allclose(W, solve(task, even(5), GAMMA), atol=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_tasks_that_share_one_direction_find_it(seed):
    """Ten tasks of twelve rows on the same direction of twenty: apart they are lost, together they are not."""
    rng = np.random.default_rng(seed)
    v, scales = rng.normal(size=(20, 1)) / 20**0.5, np.array([1.0, -1.0, 2.0, 1.0, -2.0] * 2)
    X = [rng.normal(size=(12, 20)) for _ in scales]
    tasks = [equations(x, x @ v * a + 0.1 * rng.normal(size=(12, 1))) for x, a in zip(X, scales, strict=True)]
    gammas = 10.0 ** np.arange(-6, 1)
    alone = min(error([solve(task, even(20), gamma) for task in tasks], v, scales) for gamma in gammas)
    together = min(error(couple(tasks, gamma, 1e-6).weights, v, scales) for gamma in gammas)
    assert together < 0.3 * alone


def error(weights, v, scales):
    return sum(np.square(W - v * a).sum() for W, a in zip(weights, scales, strict=True))
