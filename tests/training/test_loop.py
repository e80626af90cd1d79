"""The training loop against plain torch, its exact resume, and what it does when training goes wrong."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
import torch
from small import Interrupted, Killed, data_of, network_of, noise
from torch import nn
from torch.nn import functional

from headstart.errors import TrainingError
from headstart.finetuning.full import Full
from headstart.finetuning.gradual import Gradual
from headstart.finetuning.top import Top
from headstart.losses.l2_sp import L2SP
from headstart.losses.penalty import Context
from headstart.losses.supervised import Supervised
from headstart.network import HEAD
from headstart.training.checkpoint import Journal
from headstart.training.loop import train
from headstart.training.optimizers import OPTIMIZERS, schedule
from headstart.training.options import Training
from headstart.training.telling import Telling

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
    places, stopped = iter([2, 9, 12, 8, 14, 10, 13, 11]), 0
    for after in chain(places, [10**9]):  # one run, which is ended and goes on over and over
        again = network_of(backbone)
        try:
            outcome = train(again, data(after), tune, Supervised(), training, Journal(tmp_path / "run", every=0))
            break
        except Killed:
            stopped += 1
    assert outcome.curves == expected.curves
    for key, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key
    assert stopped >= 4


def test_who_hears_of_losses_hears_of_every_epoch_also_of_those_before_a_run_was_stopped(backbone, tmp_path):
    heard, before = [], []

    def hear(epochs):
        return Telling(losses=lambda stage, epoch, losses: epochs.append((stage, epoch, losses)))

    with pytest.raises(Killed):
        train(network_of(backbone), data(12), Top(), Supervised(), PLAIN, Journal(tmp_path, every=0), hear(before))
    done = train(network_of(backbone), data(), Top(), Supervised(), PLAIN, Journal(tmp_path, every=0), hear(heard))
    assert heard == [(stage, epoch, {"train": loss, "val": val}) for stage, epoch, loss, val in done.curves]
    assert 0 < len(before) < len(heard)
    assert heard[: len(before)] == before


def test_without_rows_for_validation_there_is_no_loss_of_any(backbone):
    heard = []
    telling = Telling(losses=lambda stage, epoch, losses: heard.append(losses))
    nobody = data()._replace(val=np.arange(0))
    train(network_of(backbone), nobody, Top(), Supervised(), PLAIN, Journal(None), telling)
    assert len(heard) == PLAIN.epochs
    assert all(losses.keys() == {"train"} for losses in heard)


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
        training = replace(PLAIN, micro=micro, optimizer="sgd")
        curves = train(network, data(), tune, Supervised(), training, Journal(None)).curves
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
    functional.cross_entropy(linear(features), data().targets[:14]).backward()
    expected = linear.weight - training.lr * 1.9 * linear.weight.grad  # Nesterov's first step: (1 + momentum) lr
    torch.testing.assert_close(network.head.linear.weight, expected, atol=1e-6, rtol=1e-4)


def test_a_loss_that_is_not_finite_stops_with_words(backbone):
    broken = data()
    broken.inputs.inputs[0][3] = torch.nan
    with pytest.raises(
        TrainingError, match=r"the loss is not finite in epoch 1, step \d, at learning rate .*lower one"
    ):
        train(network_of(backbone), broken, Full(), Supervised(), PLAIN, Journal(None))


def mislabelled(turn):
    """Validation rows that bear labels of others."""
    found = data()
    found.targets[14:] = (found.targets[14:] + torch.tensor(turn)) % 3
    return found


def validated(network, rows):
    """The loss of the validation rows at the temperature that a search over a grid finds."""
    with torch.no_grad():
        out = network(*rows.inputs.batch(rows.val, None))
    grid = torch.logspace(-4, 4, 4001)
    return min(functional.cross_entropy(out / t, rows.targets[rows.val]).item() for t in grid)


def test_the_best_weights_are_kept_not_the_last(backbone):
    training = replace(PLAIN, lr=0.1, epochs=6, schedule="constant")
    network, rows = network_of(backbone), mislabelled([0, 0, 1, 2, 0, 1])
    found = train(network, rows, Top(stages=0), Supervised(), training, Journal(None))
    losses = [curve.val for curve in found.curves]
    assert found.lengths == [int(np.argmin(losses)) + 1]
    assert found.lengths != [6]
    assert validated(network, rows) == pytest.approx(min(losses), abs=1e-4)


def known(backbone):
    """A network whose head has learnt the classes."""
    network = network_of(backbone)
    train(network, data(), Top(stages=0), Supervised(), replace(PLAIN, lr=0.1, margin=0), Journal(None))
    return network


def test_where_training_makes_it_worse_nothing_has_moved(backbone):
    training = replace(PLAIN, lr=0.1, epochs=4, schedule="constant", margin=0.5)
    network = known(backbone)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    wrong = data()
    wrong.targets[:14] = (wrong.targets[:14] + 1) % 3
    found = train(network, wrong, Top(stages=0), Supervised(), training, Journal(None))
    assert found.lengths == [0]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_last_weights_are_kept_where_few_rows_cannot_tell(backbone):
    """The loss goes up a little after the best epoch: by less than the rows differ among themselves."""
    training = replace(PLAIN, lr=0.1, epochs=6, schedule="constant")
    rows = mislabelled([0, 0, 1, 2, 0, 1])
    lengths = []
    for margin in (0, 9):
        network = network_of(backbone)
        found = train(network, rows, Top(stages=0), Supervised(), replace(training, margin=margin), Journal(None))
        lengths += found.lengths
    assert lengths[0] < lengths[1] == 6
    assert validated(network, rows) == pytest.approx(found.curves[-1].val, abs=1e-4)


def test_patience_ends_a_stage_that_gets_worse_beyond_the_margin(backbone):
    wrong = data()
    wrong.targets[:14] = (wrong.targets[:14] + 1) % 3
    training = replace(PLAIN, lr=0.1, epochs=12, schedule="constant", patience=2)
    epochs = []
    for margin in (0.5, 1e9):
        some = replace(training, margin=margin)
        epochs.append(len(train(known(backbone), wrong, Top(stages=0), Supervised(), some, Journal(None)).curves))
    assert epochs == [2, 12]


def test_a_network_that_is_too_sure_of_right_answers_is_no_worse(backbone):
    """Validation goes by the loss at the best temperature: a head of a thousand times the weights says the same."""
    training = replace(PLAIN, epochs=1, optimizer="sgd", schedule="constant", lr=1e-9)
    losses = []
    for times in (1, 1000):
        network = network_of(backbone, spread=0.1)
        with torch.no_grad():
            network.head.linear.weight.mul_(times)
        losses += [
            curve.val for curve in train(network, data(), Top(stages=0), Supervised(), training, Journal(None)).curves
        ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_an_endless_weight_of_the_source_is_the_probe(backbone):
    network = network_of(backbone)
    training = replace(PLAIN, optimizer="sgd", lr=1e-7, clip=0.0)
    train(network, data(), Full(head_lr=1e5), L2SP(weight=1e6, head=0.0), training, Journal(None))
    for name, value in backbone.module.named_parameters():
        torch.testing.assert_close(network.backbone.get_parameter(name), value, atol=1e-5, rtol=1e-4)


def test_the_penalty_is_the_formula(backbone):
    network = network_of(backbone)
    found = L2SP(weight=0.3, head=0.2).start(Context(network))
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


@pytest.mark.parametrize("steps", [1, 3, 4, 7])
def test_a_number_of_steps_is_kept_to(backbone, steps, monkeypatch):
    """14 rows in steps of 5 are 3 steps an epoch: the last epoch is cut short, and nothing is chosen by validation."""
    rates, step = [], torch.optim.AdamW.step

    def counted(optimizer, *arguments, **options):
        rates.append(optimizer.param_groups[0]["lr"])
        return step(optimizer, *arguments, **options)

    monkeypatch.setattr(torch.optim.AdamW, "step", counted)
    done = train(network_of(backbone), data(), Full(), Supervised(), PLAIN, Journal(None), steps=steps)
    assert len(rates) == done.steps == steps
    assert done.lengths == [len(done.curves)] == [-(-steps // 3)], "the last weights are kept"
    shares = [schedule("cosine", number / steps) for number in range(steps)]
    assert [rate / max(rates) for rate in rates] == pytest.approx([share / max(shares) for share in shares])


def test_whole_epochs_in_steps_are_these_epochs(backbone):
    states = []
    for lasting in ({"steps": 9}, {"lengths": [3]}):
        network = network_of(backbone)
        assert train(network, data(), Full(), Supervised(), PLAIN, Journal(None), **lasting).steps == 9
        states.append(network.state_dict())
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())


def test_a_number_of_steps_goes_on_to_the_same_bits(backbone, tmp_path):
    whole = network_of(backbone)
    expected = train(whole, data(), Full(), Supervised(), PLAIN, Journal(None), steps=7)
    again = network_of(backbone)
    with pytest.raises(Killed):
        train(again, data(6), Full(), Supervised(), PLAIN, Journal(tmp_path / "run", every=0), steps=7)
    again = network_of(backbone)
    done = train(again, data(), Full(), Supervised(), PLAIN, Journal(tmp_path / "run", every=0), steps=7)
    assert (done.curves, done.steps) == (expected.curves, 7)
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in whole.state_dict().items())
