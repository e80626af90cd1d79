"""Each learner on features against its paper's equation, written naively."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from headstart.meta_learning.anil import ANIL
from headstart.meta_learning.baseline_pp import BaselinePP
from headstart.meta_learning.learner import Origin, Standing
from headstart.meta_learning.learners import LEARNERS, learner_named
from headstart.meta_learning.matching import Matching
from headstart.meta_learning.protonet import ProtoNet
from headstart.meta_learning.pt_map import PTMAP, power, sinkhorn
from headstart.meta_learning.ridge_head import R2D2
from headstart.meta_learning.simple_shot import SimpleShot

TARGETS = torch.tensor([0, 0, 1, 1, 2, 2])


@pytest.fixture
def rows():
    """Support (6, 5) of three classes, two each, and query (8, 5)."""
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(14, 5)).astype(np.float32))
    return x[:6], x[6:]


@pytest.fixture
def origin(rows):
    return Origin.of(torch.cat(rows), 4, 3)


def test_the_origin_is_the_mean_and_the_root_mean_square_distance(rows):
    x = torch.cat(rows).numpy()
    mean, spread, *_ = Origin.of(torch.cat(rows), 4, 3)
    assert np.allclose(mean, x.mean(0), atol=1e-6)
    assert np.isclose(spread, np.sqrt(np.mean([np.linalg.norm(row - x.mean(0)) ** 2 for row in x])))
    standing = Standing(Origin.of(torch.cat(rows), 4, 3))(torch.cat(rows))
    assert np.isclose(float(standing.square().sum(1).mean()), 1, atol=1e-5)


def test_a_spread_of_nothing_divides_nothing():
    assert Origin.of(torch.ones(3, 2), 1, 1).spread == 1


def test_simpleshot_is_the_nearest_mean_of_centred_rows_of_unit_length(rows, origin):
    learner = SimpleShot()
    answers = learner.from_features(learner.head(origin), rows[0], TARGETS, rows[1], 3).numpy()
    unit = [(x - origin.mean).numpy() / np.linalg.norm((x - origin.mean).numpy(), axis=1, keepdims=True) for x in rows]
    for q, row in enumerate(unit[1]):
        for k in range(3):
            assert np.isclose(answers[q, k], -np.sum((row - unit[0][k == TARGETS].mean(0)) ** 2), atol=1e-5)


def test_protonet_is_the_scaled_squared_distance_to_class_means(rows, origin):
    learner = ProtoNet(scale=4.0)
    answers = learner.from_features(learner.head(origin), rows[0], TARGETS, rows[1], 3).numpy()
    s, q = (x.numpy() / origin.spread for x in rows)
    naive = [[-4 * np.sum((row - s[k == TARGETS].mean(0)) ** 2) for k in range(3)] for row in q]
    assert np.allclose(answers, naive, atol=1e-4)


def test_matching_sums_attention_by_class(rows, origin):
    learner = Matching(scale=3.0)
    answers = learner.from_features(learner.head(origin), rows[0], TARGETS, rows[1], 3).exp().numpy()
    s, q = ((x - origin.mean).numpy() for x in rows)
    for number, row in enumerate(q):
        cosines = np.array([row @ other / np.linalg.norm(row) / np.linalg.norm(other) for other in s])
        attention = np.exp(3 * cosines) / np.exp(3 * cosines).sum()
        assert np.allclose(answers[number], [attention[k == TARGETS].sum() for k in range(3)], atol=1e-5)


def test_r2d2_is_ridge_regression(rows, origin):
    learner = R2D2(lam=0.5, alpha=7.0)
    head = learner.head(origin)
    answers = learner.from_features(head, rows[0], TARGETS, rows[1], 3).detach().numpy()
    s, q = (((x - origin.mean) / origin.spread).numpy() for x in rows)
    weights = np.linalg.solve(s.T @ s + 0.5 * np.eye(5), s.T @ np.eye(3)[TARGETS])
    assert np.allclose(answers, 7 * q @ weights, atol=1e-4)
    y = torch.arange(6.0)
    values = learner.from_features(head, rows[0], y, rows[1], 1).detach().numpy()
    weights = np.linalg.solve(s.T @ s + 0.5 * np.eye(5), s.T @ (y.numpy() - 2.5))
    assert np.allclose(values[:, 0], q @ weights + 2.5, atol=1e-4)


def test_a_power_keeps_signs_and_gives_unit_length():
    x = power(torch.tensor([[4.0, -9.0, 0.0]]), 0.5)
    assert torch.allclose(x, torch.tensor([[2.0, -3.0, 0.0]]) / 13**0.5, atol=1e-3)


def test_sinkhorn_gives_every_row_one_and_every_column_its_share(rows):
    plan = sinkhorn(rows[1][:, :4])
    assert torch.allclose(plan.sum(1), torch.ones(8), atol=1e-5)
    assert torch.allclose(plan.sum(0), torch.full((4,), 2.0), atol=1e-3)
    # a factor of the row times a factor of the column
    ratio = plan / rows[1][:, :4].exp()
    assert torch.allclose(ratio[:, :1] * ratio[:1], ratio * ratio[0, 0], atol=1e-6)


def test_pt_map_finds_centres_that_a_lone_shot_misses():
    """Two clouds; the shots lie towards each other. The query rows show where the clouds are."""
    rng = np.random.default_rng(1)
    middle = np.array([[3.0, 0.5, 1, 1], [0.5, 3.0, 1, 1]])
    clouds = [np.abs(centre + rng.normal(scale=0.3, size=(30, 4))) for centre in middle]
    support = torch.tensor(np.array([[1.9, 1.6, 1, 1], [1.5, 1.9, 1.6, 0.4]]), dtype=torch.float32)
    query = torch.tensor(np.concatenate(clouds), dtype=torch.float32)
    truth = torch.repeat_interleave(torch.arange(2), 30)
    learner = PTMAP()
    answers = learner.from_features(Standing(Origin.of(query, 2, 2)), support, torch.arange(2), query, 2)
    assert float((answers.argmax(1) == truth).float().mean()) > 0.95


def test_baseline_pp_without_steps_is_the_cosine_to_class_means(rows, origin):
    learner = BaselinePP(steps=0, scale=2.0)
    answers = learner.from_features(learner.head(origin), rows[0], TARGETS, rows[1], 3).detach()
    s, q = (functional.normalize(x - origin.mean, dim=1) for x in rows)
    w = torch.stack([s[k == TARGETS].mean(0) for k in range(3)])
    assert torch.allclose(answers, 2 * functional.cosine_similarity(q[:, None], w[None], dim=2), atol=1e-5)


@pytest.mark.parametrize("learner", [BaselinePP(steps=30), ANIL(steps=30)], ids=["baseline++", "anil"])
def test_steps_fit_the_support(rows, origin, learner):
    with torch.no_grad():
        answers = learner.from_features(learner.head(origin), rows[0], TARGETS, rows[0], 3)
    assert bool((answers.argmax(1) == TARGETS).all())


def test_anil_steps_are_those_of_gradient_descent(rows, origin):
    learner = ANIL(steps=3, inner_lr=0.5)
    answers = learner.from_features(learner.head(origin), rows[0], TARGETS, rows[1], 3).detach()
    layer = learner.head(origin).linear
    s, q = (((x - origin.mean) / origin.spread) for x in rows)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        functional.cross_entropy(layer(s), TARGETS).backward()
        optimizer.step()
    assert torch.allclose(answers, layer(q).detach(), atol=1e-5)


def test_an_unknown_learner_is_refused():
    with pytest.raises(ValueError, match=r"learner 'protonets' is unknown; nearest: protonet; expected one of"):
        learner_named("protonets", {})
    assert learner_named("protonet", {"scale": 2.0}).scale == 2
    assert all(cls.about and cls.kinds for cls in LEARNERS.values())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("protonet", {"scale": 0.0}),
        ("matching", {"scale": -1.0}),
        ("r2d2", {"lam": 0.0}),
        ("pt-map", {"beta": 0.0}),
        ("baseline++", {"inner_lr": 0.0}),
        ("anil", {"inner_lr": 0.0}),
        ("maml", {"inner_lr": -0.1}),
    ],
)
def test_options_that_cannot_be_are_refused(name, options):
    with pytest.raises(ValueError, match=r"expected more than 0"):
        learner_named(name, options)
