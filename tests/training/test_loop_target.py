"""The training loop with rows of a target task: what moves, what adds up, and the exact resume of an adversary."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from domains import SOURCE, TARGET, two_tasks
from small import Killed, data_of, network_of, noise
from steps import PLAIN as STEP
from steps import open_network, precise_network, sgd

from headstart.finetuning.full import Full
from headstart.finetuning.gradual import Gradual
from headstart.finetuning.lora import LoRA
from headstart.finetuning.top import Top
from headstart.losses.cdan import CDAN
from headstart.losses.dan import DAN
from headstart.losses.dann import DANN
from headstart.losses.deep_coral import DeepCoral
from headstart.losses.graph import Graph
from headstart.losses.mcc import MCC
from headstart.losses.penalty import Context
from headstart.losses.supervised import Supervised
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.training.checkpoint import Journal
from headstart.training.loop import train
from headstart.training.options import Training
from headstart.training.step import Batch, Step

PLAIN = Training(margin=0, epochs=3, batch=5, lr=1e-2, augment=False, patience=9)
LOSSES = [DANN(width=8), CDAN(width=8), DAN(), DeepCoral(), MCC(), Graph()]


def named(loss):
    return type(loss).__name__


def trained(backbone, loss, tune=Top(stages=1), training=PLAIN, data=None, journal=None, precise=False):  # noqa: B008
    network = network_of(backbone)
    if precise:
        data.inputs.inputs = tuple(tensor.double() for tensor in data.inputs.inputs)
        network.backbone.double()
    found = train(network, data or two_tasks(), tune, loss, training, journal or Journal(None))
    return network, found


def same_bits(one, other):
    return all(torch.equal(value, other.state_dict()[key]) for key, value in one.state_dict().items())


@pytest.mark.parametrize("loss", LOSSES, ids=named)
def test_only_what_the_tune_names_moves_and_twice_alike(backbone, loss):
    network, found = trained(backbone, loss)
    open_ = {name.removeprefix("backbone.") for name in network.stage(network.stages[-2])}
    given = backbone.module.state_dict()
    moved = {key for key, value in network.backbone.state_dict().items() if not torch.equal(value, given[key])}
    assert moved
    assert moved <= open_
    again, twin = trained(backbone, loss)
    assert same_bits(network, again)
    assert [curve[:3] for curve in found.curves] == [curve[:3] for curve in twin.curves]
    assert not same_bits(network, trained(backbone, replace(loss, weight=0.0))[0])


@pytest.mark.parametrize("loss", LOSSES, ids=named)
def test_of_no_weight_it_is_the_training_on_the_source_rows(backbone, loss):
    """In float64: batches of other sizes round otherwise, and no unit may stand on the kink of its ReLU."""
    training = replace(PLAIN, optimizer="sgd")
    network, _ = trained(backbone, replace(loss, weight=0.0), Full(), training, two_tasks(), precise=True)
    alone = two_tasks()._replace(target=np.arange(0))
    plain, _ = trained(backbone, Supervised(), Full(), training, alone, precise=True)
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, plain.state_dict()[key], atol=2e-5, rtol=1e-3, msg=key)


@pytest.mark.parametrize(("name", "tune"), [("adamw", Gradual(stages=2)), ("sgd", LoRA(rank=2))])
def test_a_run_with_an_adversary_that_was_stopped_anywhere_ends_with_the_same_bits(backbone, name, tune, tmp_path):
    training = replace(PLAIN, optimizer=name, ema=0.9)
    loss = CDAN(width=8, most=20)
    whole, expected = trained(backbone, loss, tune, training)
    stopped = 0
    for after in range(2, 24, 7):
        path = tmp_path / str(after)
        try:
            trained(backbone, loss, tune, training, two_tasks(after), Journal(path, every=0))
        except Killed:
            stopped += 1
        again, found = trained(backbone, loss, tune, training, journal=Journal(path, every=0))
        assert found.curves == expected.curves
        assert same_bits(whole, again)
    assert stopped >= 2


def test_the_adversary_is_in_the_journal_and_its_loss_goes_on_from_there(backbone, tmp_path):
    """A run that forgets it ends otherwise: the test above would see nothing if the adversary did nothing."""
    journal = Journal(tmp_path, every=0)
    trained(backbone, DANN(width=8), journal=journal)
    again = Journal(tmp_path, every=0)
    assert again.read() is not None
    told = {key: value for key, value in again._found["now"].items() if key.startswith("1.")}
    assert sum(value.numel() for value in told.values()) == 8 * backbone.dim + 8 + 8 * 8 + 8 + 8 + 1
    assert {key for key in again._found["best"] if key[:2] == "1."} == set()


def test_rows_of_the_target_move_nothing_but_by_the_loss(backbone):
    """Their targets are not read: others, of no weight, change nothing."""
    data = two_tasks()
    other = data._replace(targets=data.targets.clone())
    other.targets[SOURCE:] = 2
    one, two = (trained(backbone, DANN(width=8), data=some)[0] for some in (data, other))
    assert same_bits(one, two)
    known = other._replace(weights=torch.ones(SOURCE + TARGET))
    assert not same_bits(one, trained(backbone, DANN(width=8), data=known)[0])


@pytest.mark.parametrize("loss", [DANN(width=8), DAN(), DeepCoral(), Graph()], ids=named)
def test_numbers_are_learnt_too(backbone, loss):
    data = two_tasks(kind=REGRESSION)
    _, found = trained(backbone, loss, data=data)
    assert np.isfinite([curve.train for curve in found.curves]).all()


def test_what_crosses_the_cut_is_computed_once_for_target_rows_too(backbone):
    training = replace(PLAIN, optimizer="sgd")
    cached, told = trained(backbone, DANN(width=8), training=training)
    plain, silent = trained(backbone, DANN(width=8), training=replace(training, disk=0.0))
    assert any(note.startswith(f"what the frozen part makes of {SOURCE + TARGET} inputs") for note in told.notes)
    assert silent.notes == []
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(value, cached.state_dict()[key], atol=1e-3, rtol=1e-2, msg=key)


def batch_of(ours=6, theirs=3):
    """Source rows, then target rows without a weight."""
    count = ours + theirs
    weights = torch.cat([torch.linspace(0.5, 2, ours), torch.zeros(theirs)])
    return Batch((noise(count),), torch.arange(count) % 3, weights, torch.arange(count) >= ours)


@pytest.mark.parametrize("count", [1, 2, 3, 99])
def test_each_part_of_a_batch_holds_rows_of_both(count):
    batch = batch_of()
    found = batch.parts(count)
    assert len(found) == min(count, 3)
    assert sorted(torch.cat(found).tolist()) == list(range(9))
    assert all(batch.part(rows).target.unique().tolist() == [False, True] for rows in found)


def gradients(backbone, loss, micro):
    network, batch = precise_network(backbone), batch_of()
    step = Step(network, CLASSIFICATION, loss, loss.start(Context(network)), replace(STEP, micro=micro))
    step.done = 0.5
    batch = replace(batch, inputs=(batch.inputs[0].double(),))
    value = step(sgd(network), network.backbone, batch, np.random.default_rng(0))
    return value, [weights.grad.clone() for weights in network.parameters()]


def test_parts_of_a_batch_add_up_where_the_cost_is_a_mean_over_rows(backbone):
    whole, parts = (gradients(backbone, DANN(width=8), micro) for micro in (0, 3))
    assert whole[0] == pytest.approx(parts[0], rel=1e-4)
    for one, other in zip(whole[1], parts[1], strict=True):
        torch.testing.assert_close(one, other, atol=1e-4 * float(one.abs().max()) + 1e-8, rtol=1e-3)


def test_a_statistic_of_a_batch_is_in_parts_the_mean_of_those_of_the_parts(backbone):
    value, _ = gradients(backbone, DeepCoral(weight=1e7), 3)
    network, batch = open_network(backbone), batch_of()
    plain = Step(network, CLASSIFICATION, Supervised(), Supervised().start(Context(network)), STEP)
    labels = plain(sgd(network), network.backbone, batch, np.random.default_rng(0))
    said = network.head(network.backbone(batch.inputs[0])).detach()
    apart = [1e7 * (np.cov(said[rows][:2].T.numpy()) ** 2).sum() / (4 * said.shape[1] ** 2) for rows in batch.parts(3)]
    assert value - labels == pytest.approx(np.mean(apart), rel=1e-3)  # of one target row the covariance is 0


def test_the_adversary_slows_nothing_else_down(backbone):
    """Gradients are clipped apart: of no weight, the step of the network is that without an adversary."""
    steps = []
    for loss in (Supervised(), DANN(width=8, weight=0.0)):
        network = open_network(backbone)
        training = replace(STEP, clip=0.1)
        regular = loss.start(Context(network))
        step = Step(network, CLASSIFICATION, loss, regular, training)
        more = [] if regular.helper is None else list(regular.helper.module.parameters())
        optimise = torch.optim.SGD([*network.parameters(), *more], lr=0.0)
        step(optimise, network.backbone, batch_of(), np.random.default_rng(0))
        steps.append([weights.grad.clone() for weights in network.parameters()])
    for one, other in zip(*steps, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-3)


def test_a_loss_for_two_tasks_refuses_one(backbone):
    with pytest.raises(ValueError, match="DANN compares two tasks: give rows of a target"):
        trained(backbone, DANN(), data=data_of(two_tasks().inputs, range(10), range(10, 14)))
    with pytest.raises(ValueError, match="MCC is for classification, and this task is a regression"):
        trained(backbone, MCC(), data=two_tasks(kind=REGRESSION))
    with pytest.raises(ValueError, match=r"mixup = 0\.4: DAN compares rows of two tasks"):
        trained(backbone, DAN(), training=replace(PLAIN, mixup=0.4))
