"""The training loop against plain torch, its exact resume, and what it does when training goes wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small import Interrupted, Killed, data_of, network_of, noise
from torch import nn

from headstart.checkpoint import Journal
from headstart.errors import TrainingError
from headstart.losses.l2_sp import L2SP
from headstart.losses.supervised import Supervised
from headstart.network import HEAD
from headstart.optimizers import OPTIMIZERS, schedule
from headstart.train import train
from headstart.training import Training
from headstart.tune.full import Full
from headstart.tune.gradual import Gradual
from headstart.tune.top import Top

PLAIN = Training(margin=0, epochs=3, batch=5, lr=1e-2, augment=False, patience=9)


def data(left=10**9):
    """Of the last six rows one in three is of each class; the run ends after so many batches."""
    return data_of(Interrupted(noise(20, bright=2), left=left), range(14), range(14, 20))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_that_was_stopped_anywhere_ends_with_the_same_bits(backbone, name, tmp_path):
    training = replace(PLAIN, optimizer=name)
    tune = Gradual(stages=2)
    whole = network_of(backbone)
    expected = train(whole, data(), tune, Supervised(), training, Journal(None))
    stopped = 0
    for after in range(2, 60, 9):
        path = tmp_path / str(after)
        try:
            train(
                network_of(backbone),
                data(after),
                tune,
                Supervised(),
                training,
                Journal(path, every=0),
            )
        except Killed:
            stopped += 1
        again = network_of(backbone)
        found = train(again, data(), tune, Supervised(), training, Journal(path, every=0))
        assert found.curves == expected.curves
        for key, value in whole.state_dict().items():
            assert torch.equal(value, again.state_dict()[key]), key
    assert stopped >= 4


def test_a_damaged_journal_is_begun_anew(backbone, tmp_path):
    path = tmp_path / "journal"
    expected = train(network_of(backbone), data(), Top(), Supervised(), PLAIN, Journal(path, every=0))
    (path / "now.safetensors").write_bytes((path / "now.safetensors").read_bytes()[:1000])
    assert (
        train(network_of(backbone), data(), Top(), Supervised(), PLAIN, Journal(path, every=0)).curves
        == expected.curves
    )


def test_micro_batches_add_up_to_the_batch(backbone):
    runs = []
    for micro in (0, 2):
        network = network_of(backbone)
        tune = Top(stages=0)
        curves = train(network, data(), tune, Supervised(), replace(PLAIN, micro=micro), Journal(None)).curves
        runs.append((network, curves))
    for (key, one), other in zip(runs[0][0].state_dict().items(), runs[1][0].state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4, msg=key)
    np.testing.assert_allclose(runs[0][1], runs[1][1], rtol=1e-4)


def test_frozen_weights_and_running_statistics_do_not_move_nor_does_the_given_backbone(backbone):
    given = {key: value.clone() for key, value in backbone.module.state_dict().items()}
    network = network_of(backbone)
    train(network, data(), Top(stages=1), Supervised(), PLAIN, Journal(None))
    open_ = set(network.stage(network.stages[-2]))
    moved = {key for key, value in network.backbone.state_dict().items() if not torch.equal(value, given[key])}
    prefixes = {key.removeprefix("backbone.").rpartition(".")[0] for key in open_}
    assert moved
    assert all(key.rpartition(".")[0] in prefixes for key in moved)
    assert all(torch.equal(value, given[key]) for key, value in backbone.module.state_dict().items())


def test_the_loop_is_plain_gradient_descent(backbone):
    network, other = network_of(backbone), network_of(backbone)
    training = replace(PLAIN, epochs=1, batch=99, optimizer="sgd", schedule="constant", weight_decay=0.0, clip=0.0)
    train(network, data(), Top(stages=0), Supervised(), replace(training, patience=1), Journal(None))
    features = other.backbone(data().inputs.inputs[0][:14]).detach()
    linear = nn.Linear(backbone.dim, 3)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    nn.functional.cross_entropy(linear(features), data().targets[:14]).backward()
    expected = linear.weight - training.lr * 1.9 * linear.weight.grad  # Nesterov's first step: (1 + momentum) lr
    torch.testing.assert_close(network.head.linear.weight, expected, atol=1e-6, rtol=1e-4)


def test_a_loss_that_is_not_finite_stops_with_words(backbone):
    broken = data()
    broken.inputs.inputs[0][3] = torch.nan
    with pytest.raises(
        TrainingError, match=r"the loss is not finite in epoch 1, step \d, at learning rate .*lower one"
    ):
        train(network_of(backbone), broken, Full(), Supervised(), PLAIN, Journal(None))


def test_the_best_weights_are_kept_not_the_last(backbone):
    training = replace(PLAIN, lr=1e4, epochs=4, optimizer="sgd", schedule="constant")
    network = network_of(backbone)
    found = train(network, data(), Top(stages=0), Supervised(), training, Journal(None))
    assert min(curve.val for curve in found.curves) > np.log(3)
    assert not network.head.linear.weight.any()  # no epoch was better than the beginning


def test_an_endless_weight_of_the_source_is_the_probe(backbone):
    network = network_of(backbone)
    training = replace(PLAIN, optimizer="sgd", lr=1e-7, clip=0.0)
    train(network, data(), Full(head_lr=1e5), L2SP(weight=1e6, head=0.0), training, Journal(None))
    for name, value in backbone.module.named_parameters():
        torch.testing.assert_close(network.backbone.get_parameter(name), value, atol=1e-5, rtol=1e-4)


def test_the_penalty_is_the_formula(backbone):
    network = network_of(backbone)
    found = L2SP(weight=0.3, head=0.2).start(network)
    network.open(network.top(1))
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(0.5)
    head = sum(value.numel() for value in network.stage(HEAD).values())
    body = sum(value.numel() for value in network.stage(network.stages[-2]).values())
    assert found.weights().item() == pytest.approx(0.3 / 2 * 0.25 * body + 0.2 / 2 * 0.25 * head, rel=1e-4)


def test_stages_beyond_the_backbone_are_refused(backbone):
    with pytest.raises(ValueError, match="99 stages were asked for; this backbone has"):
        train(network_of(backbone), data(), Top(stages=99), Supervised(), PLAIN, Journal(None))


def test_schedules_begin_low_reach_one_and_end_at_nothing():
    assert schedule("constant", 0.3) == 1.0
    for name, top in (("cosine", 0.1), ("one-cycle", 0.3)):
        assert schedule(name, 0.0) <= 0.1
        assert schedule(name, top) == pytest.approx(1.0)
        assert schedule(name, 1.0) == pytest.approx(0.0)
