"""One training of several tasks: gradients, missing answers, parts of a batch, and a run that is killed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small import Interrupted, Killed, Rows, noise

from headstart.finetuning.full import Full
from headstart.heads.module import HeadModule
from headstart.losses.penalty import Context
from headstart.multitask.dwa import DWA
from headstart.multitask.gradnorm import GradNorm
from headstart.multitask.heads import TaskHeads
from headstart.multitask.pcgrad import PCGrad
from headstart.multitask.uncertainty import Uncertainty
from headstart.multitask.weighing import ByGradients, Combined
from headstart.multitask.weighted import Weighted
from headstart.network import Network
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.side_by_side import side_by_side
from headstart.training.checkpoint import Journal
from headstart.training.feed import Data
from headstart.training.loop import train
from headstart.training.options import Training
from headstart.training.step import Batch, Step
from headstart.training.validation import validation_losses

KIND = side_by_side([("colour", CLASSIFICATION, ("r", "g", "b")), ("light", REGRESSION, ())])
TRAINING = Training(margin=0, batch=8, clip=0.0, precision="float32", epochs=3, journal=0.0, schedule="constant")


def tasks_network(backbone):
    torch.manual_seed(0)
    heads = [HeadModule.fresh(np.zeros(backbone.dim), np.ones(backbone.dim), outputs) for outputs in (3, 1)]
    for head in heads:
        torch.nn.init.normal_(head.linear.weight, std=0.1)
    return Network(backbone, TaskHeads(heads))


def answers(count):
    """Targets (N, 2) and weights (N, 2): every fourth row lacks the one answer, every fifth the other."""
    rows = torch.arange(count)
    targets = torch.stack([(rows % 3).float(), torch.linspace(-1, 1, count)], 1)
    weights = torch.stack([(rows % 4 > 0).float(), (rows % 5 > 0).float()], 1)
    return targets * weights, weights


def gradients(backbone, loss, *, micro=0, targets=None, batch=8):
    """By name, what a step would go down."""
    network = tasks_network(backbone)
    network.open(network.stages)
    network.eval()
    known, weights = answers(batch)
    training = Training(margin=0, batch=batch, clip=0.0, precision="float32", micro=micro)
    step = Step(network, KIND, loss, loss.start(Context(network, 0, KIND)), training)
    given = Batch((noise(batch),), known if targets is None else targets, weights)
    step(torch.optim.SGD(network.parameters(), lr=0.0), network.backbone, given, np.random.default_rng(0))
    return {name: weights.grad.clone() for name, weights in network.named_parameters() if weights.grad is not None}


def alike(one, other, atol=1e-6):
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=atol, rtol=1e-4, msg=name)


class Added(Weighted):
    """The sum again, made of a gradient a task."""

    def start(self, context):
        def combine(K, losses, tasks, rng):
            return Combined(torch.ones(len(K)).double(), torch.ones(len(K)).double())

        return ByGradients(context, self, combine)


def test_gradients_of_tasks_taken_apart_add_up_to_that_of_the_sum(backbone):
    alike(gradients(backbone, Added()), gradients(backbone, Weighted()), atol=1e-5)


@pytest.mark.parametrize("loss", [Weighted(), PCGrad(), Uncertainty()])
def test_parts_of_a_batch_add_up(backbone, loss):
    alike(gradients(backbone, loss, micro=3), gradients(backbone, loss), atol=1e-5)


@pytest.mark.parametrize("loss", [Weighted(), PCGrad()])
def test_what_is_not_known_says_nothing(backbone, loss):
    targets, weights = answers(8)
    other = torch.where(weights > 0, targets, torch.tensor([2.0, 7.0]))
    alike(gradients(backbone, loss, targets=other), gradients(backbone, loss))


def test_a_weight_of_nothing_takes_a_task_out(backbone):
    only = gradients(backbone, Weighted(weights="1:0"))
    assert float(only["head.heads.1.linear.weight"].abs().max()) == 0
    assert float(only["head.heads.0.linear.weight"].abs().max()) > 0


def test_one_task_is_refused_and_so_are_mixed_rows(backbone):
    network = tasks_network(backbone)
    with pytest.raises(ValueError, match="PCGrad weighs the losses of several targets, and there is one"):
        PCGrad().suits(CLASSIFICATION, mixup=0.0)
    with pytest.raises(ValueError, match=r"mixup = 0.2: rows of several targets"):
        Step(network, KIND, PCGrad(), PCGrad().start(Context(network, 0, KIND)), Training(mixup=0.2))


def trained(backbone, loss, inputs, journal):
    network = tasks_network(backbone)
    targets, weights = answers(len(inputs))
    data = Data(inputs, targets, weights, KIND, np.arange(16), np.arange(16, 24))
    done = train(network, data, Full(), loss, TRAINING, journal)
    return network.state_dict(), done


@pytest.mark.parametrize("loss", [DWA(), GradNorm(), Uncertainty(), PCGrad()], ids=lambda loss: type(loss).__name__)
def test_a_killed_run_goes_on_to_the_same_bits(backbone, loss, tmp_path):
    pictures = noise(24)
    whole, done = trained(backbone, loss, Rows(pictures), Journal(None))
    with pytest.raises(Killed):
        trained(backbone, loss, Interrupted(pictures, left=7), Journal(tmp_path / "run", every=0.0))
    again, resumed = trained(backbone, loss, Rows(pictures), Journal(tmp_path / "run", every=0.0))
    assert resumed.curves == done.curves
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_validation_adds_up_tasks_and_leaves_out_what_is_not_known(backbone):
    network = tasks_network(backbone)
    targets, weights = answers(24)
    data = Data(Rows(noise(24)), targets, weights, KIND, np.arange(16), np.arange(16, 24))
    before = validation_losses(network, data.inputs, data)
    other = torch.where(weights > 0, targets, torch.tensor([1.0, 9.0]))
    assert validation_losses(network, data.inputs, data._replace(targets=other)) == pytest.approx(before)
    assert len(before) == 8
    nothing = weights.clone()
    nothing[16:, 0] = 0
    alone = validation_losses(network, data.inputs, data._replace(weights=nothing))
    light = KIND.row_losses(network(noise(24)[16:]), targets[16:], label_smoothing=0.0)[:, 1].detach()
    there = weights[16:, 1]
    assert alone == pytest.approx((light * there / there.mean()).tolist(), rel=1e-4)
