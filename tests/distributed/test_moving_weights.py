"""Weights of a backbone in rounds: against plain torch, what stays at a client, and what LoRA's matrices amount to."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from small import Rows as Tensors
from tiny_backbones import picture_backbone
from torch import nn

from headstart.distributed.averaging import averaged, strategy_of
from headstart.distributed.clients import rounds_of
from headstart.distributed.kept_inputs import KeptInputs
from headstart.distributed.moving_weights import (
    Base,
    Layout,
    Rows,
    Weights,
    assembled,
    first_weights,
    trained_weights,
    training_of,
)
from headstart.tasks import CLASSIFICATION

CPU = torch.device("cpu")
CLIENTS = {"north": 6, "south": 9}


class Net(nn.Module):
    """Two stages, each with BatchNorm: (N, 3, 12, 12) -> (N, 5)."""

    def __init__(self):
        super().__init__()
        self.low = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU())
        self.high = nn.Sequential(nn.Conv2d(6, 5, 3), nn.BatchNorm2d(5), nn.ReLU())

    def forward(self, pixels):
        return self.high(self.low(pixels)).mean((2, 3))


@pytest.fixture(scope="module")
def backbone():
    torch.manual_seed(3)
    stages = (("low", ("low.",)), ("high", ("high.",)))
    return replace(picture_backbone(3, Net(), 5), stages=stages)


BASE = Base(np.full(5, 0.1), np.full(5, 0.5), 3)


def pictures(seed, count):
    """Whose place and size depend on the client."""
    x = torch.randn(count, 3, 12, 12, generator=torch.Generator().manual_seed(seed)) * (1 + seed) + seed
    x[torch.arange(count), torch.arange(count) % 3] += 2.0
    return x, torch.arange(count) % 3


def rows_of(seed, count):
    x, y = pictures(seed, count)
    return Rows(Tensors(x), y.numpy(), CLASSIFICATION, np.arange(count))


def first(backbone, rounds):
    head = BASE.head()
    with torch.no_grad():
        head.linear.weight.copy_(torch.randn(3, 5, generator=torch.Generator().manual_seed(8)))
    return first_weights(backbone, head, rounds, seed=5)


def in_round(backbone, rounds, given, seed, count):
    return trained_weights(backbone, BASE, rounds, given, rows_of(seed, count), training_of(rounds, count), CPU)


def plainly(backbone, begin, x, y, *, epochs, lr, mu):
    """Weights by name after whole batches through the last stage and the head, in plain torch."""
    module, head = deepcopy(backbone.module).eval(), nn.Linear(5, 3)
    named = {f"backbone.high.{name}": value for name, value in module.high.named_parameters()}
    named |= {f"head.linear.{name}": value for name, value in head.named_parameters()}
    with torch.no_grad():
        for name, value in named.items():
            value.copy_(torch.from_numpy(begin[name]))
    matrices, vectors = ([w for w in named.values() if (w.ndim > 1) is many] for many in (True, False))
    groups = [{"params": matrices, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=lr)
    for _ in range(epochs):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(head((module(x) - 0.1) / 0.5), y)
        near = sum((value - torch.from_numpy(begin[name])).square().sum() for name, value in named.items())
        (loss + mu / 2 * near).backward()
        nn.utils.clip_grad_norm_(list(named.values()), 1.0)
        optimiser.step()
    return {name: value.detach().numpy().astype(np.float64) for name, value in named.items()}


@pytest.mark.parametrize(("strategy", "mu"), [("fedavg", 0.0), ("fedprox", 30.0)])
def test_rounds_of_two_clients_are_the_mean_by_rows_of_plain_training(backbone, strategy, mu):
    rounds = rounds_of(strategy=strategy, train="top", rounds=2, epochs=3, lr=0.02, batch=0, mu=mu)
    weights = first(backbone, rounds)
    layout, by = Layout.of(weights.shared), strategy_of(rounds)
    want = {name: array.astype(np.float64) for name, array in weights.shared.items()}
    for number in (1, 2):
        begin = {name: array.astype(np.float32) for name, array in want.items()}
        parts = [
            plainly(backbone, begin, *pictures(seed, count), epochs=3, lr=0.02, mu=mu)
            for seed, count in enumerate(CLIENTS.values())
        ]
        want = {name: (6 * parts[0][name] + 9 * parts[1][name]) / 15 for name in begin}
        answers = [
            (float(count), layout.vector(in_round(backbone, rounds, weights, seed, count).shared))
            for seed, count in enumerate(CLIENTS.values())
        ]
        vector = averaged(by, layout.vector(weights.shared), answers, number)
        weights = weights._replace(shared=layout.arrays(vector))
    assert set(want) == set(weights.shared)
    moved = max(np.abs(array - first(backbone, rounds).shared[name]).max() for name, array in want.items())
    assert moved > 0.02
    for name, array in want.items():
        np.testing.assert_allclose(weights.shared[name], array, atol=2e-4)


def test_fedprox_holds_weights_near_where_the_round_began(backbone):
    def far(strategy, mu):
        rounds = rounds_of(strategy=strategy, train="top", epochs=4, lr=0.02, batch=4, mu=mu)
        begin = first(backbone, rounds)
        learnt = in_round(backbone, rounds, begin, 0, 6)
        layout = Layout.of(begin.shared)
        return np.linalg.norm(layout.vector(learnt.shared) - layout.vector(begin.shared))

    assert far("fedprox", 100.0) < 0.8 * far("fedavg", 0.0)
    assert far("fedprox", 0.0) == far("fedavg", 0.0)


def test_fedbn_leaves_batchnorm_of_the_stage_that_learns_at_the_client(backbone):
    rounds = rounds_of(strategy="fedbn", train="top", epochs=2, lr=0.02, batch=0)
    begin = first(backbone, rounds)
    assert set(begin.own) == {f"backbone.high.1.{name}" for name in ("weight", "bias", "running_mean", "running_var")}
    assert not set(begin.own) & set(begin.shared)
    north, south = (in_round(backbone, rounds, begin, seed, count) for seed, count in enumerate(CLIENTS.values()))
    for name, array in begin.own.items():
        assert not np.array_equal(north.own[name], array)
        assert not np.array_equal(north.own[name], south.own[name])
    x, _ = pictures(0, 6)
    low = backbone.module.high[0](backbone.module.low(x)).detach().mean((0, 2, 3)).numpy()
    rounds = replace(rounds, epochs=1)
    after = in_round(backbone, rounds, begin, 0, 6).own["backbone.high.1.running_mean"]
    want = 0.9 * begin.own["backbone.high.1.running_mean"] + 0.1 * low
    np.testing.assert_allclose(after, want, atol=1e-5)
    again = assembled(backbone, BASE, rounds, Weights(begin.shared, north.own)).state_dict()
    np.testing.assert_array_equal(again["backbone.high.1.weight"].numpy(), north.own["backbone.high.1.weight"])
    np.testing.assert_array_equal(again["backbone.low.1.weight"], backbone.module.state_dict()["low.1.weight"])


def test_other_strategies_leave_the_statistics_of_the_backbone(backbone):
    rounds = rounds_of(strategy="fedavg", train="top", epochs=2, lr=0.02)
    begin = first(backbone, rounds)
    learnt = in_round(backbone, rounds, begin, 0, 6)
    assert learnt.own == {}
    assert not any("running" in name for name in learnt.shared)
    state = assembled(backbone, BASE, rounds, learnt).state_dict()
    np.testing.assert_array_equal(
        state["backbone.high.1.running_mean"], backbone.module.state_dict()["high.1.running_mean"]
    )


def test_lora_begins_as_the_backbone_and_is_merged_by_its_formula(backbone):
    pytest.importorskip("peft")
    rounds = rounds_of(strategy="fedavg", train="lora", epochs=2, lr=0.01)
    begin = first(backbone, rounds)
    x, _ = pictures(1, 4)
    plain = assembled(backbone, BASE, rounds, begin)
    torch.testing.assert_close(plain.backbone(x), backbone.module(x))
    learnt = in_round(backbone, rounds, begin, 0, 6)
    assert {name.split(".lora_")[0] for name in learnt.shared if "lora" in name} == {
        "backbone.low.0",
        "backbone.high.0",
    }
    a, b = (learnt.shared[f"backbone.high.0.lora_{part}.default.weight"] for part in "AB")
    weight = backbone.module.high[0].weight.detach().numpy()
    want = weight + 16 / 8 * np.einsum("or,rihw->oihw", b[:, :, 0, 0], a)
    got = assembled(backbone, BASE, rounds, learnt).backbone.high[0].weight.numpy()
    np.testing.assert_allclose(got, want, atol=1e-6)
    assert np.abs(got - weight).max() > 1e-4
    same = first(backbone, rounds)
    for name, array in begin.shared.items():
        np.testing.assert_array_equal(same.shared[name], array)


def test_other_names_and_other_shapes_are_refused_in_words(backbone):
    rounds = rounds_of(strategy="fedavg", train="top", epochs=1)
    begin = first(backbone, rounds)
    fewer = {name: array for name, array in begin.shared.items() if name != "head.linear.bias"}
    with pytest.raises(ValueError, match=r"other weights to learn than were sent, such as head\.linear\.bias \(3,\)"):
        in_round(backbone, rounds, begin._replace(shared=fewer), 0, 6)
    wide = begin.shared | {"head.linear.bias": np.zeros(4, np.float32)}
    with pytest.raises(ValueError, match=r"head\.linear\.bias"):
        assembled(backbone, BASE, rounds, begin._replace(shared=wide))


def test_steps_that_are_too_long_are_told_in_words(backbone):
    rounds = rounds_of(strategy="fedavg", train="top", epochs=3, lr=1e30)
    with pytest.raises(ValueError, match=r"without bound at lr = 1e\+30: name a smaller one in \[rounds\]"):
        in_round(backbone, rounds, first(backbone, rounds), 0, 6)


def test_a_frozen_part_computes_each_row_once():
    asked = []

    class Inputs(Tensors):
        def part(self, module, width, place):
            def compute(rows, draw):
                asked.extend(rows.tolist())
                return np.stack([np.full(width, row, np.float32) for row in rows])

            return compute

    kept = KeptInputs(Inputs(torch.zeros(6, 3, 8, 8)))
    for rows in ([0, 2], [2, 3, 0], [0, 2, 3]):
        values = kept.part(nn.Identity(), 4, "low")(np.array(rows), None)
        np.testing.assert_array_equal(values[:, 0], rows)
    assert asked == [0, 2, 3]
    kept.part(nn.Identity(), 4, "other")(np.array([2]), None)
    assert asked[3:] == [2]
