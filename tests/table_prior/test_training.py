"""Fitting the network to the prior: it learns, and goes on after a stop to the same bits."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from headstart import BackboneError
from headstart.table_prior.chance import Chance
from headstart.table_prior.checkpoint import resumed, save
from headstart.table_prior.network import Design, bin_centres
from headstart.table_prior.tasks import Shape, draw
from headstart.table_prior.train import main
from headstart.table_prior.training import Fitting, Schedule, loss_of, two_hot
from headstart.table_prior.weights import read_weights

TINY = Design(width=8, heads=1, layers=1, depth=1, wide=1)
QUICK = Schedule(steps=8, rise=2, batches=2, cells=300, largest=24, lanes=2)


def test_two_bins_have_the_mean_of_the_value():
    centres = bin_centres()
    values = torch.tensor([-9.0, -1.3, 0.0, 0.4, 3.99, 7.0])
    weights = two_hot(values, centres)
    torch.testing.assert_close(weights.sum(1), torch.ones(6))
    torch.testing.assert_close(weights @ centres, values.clamp(-4, 4), atol=1e-5, rtol=0)
    assert ((weights > 0).sum(1) <= 2).all()


def test_the_rate_rises_and_falls_to_nothing():
    schedule = Schedule(steps=100, rise=10, fall=0.5, rate=1.0)
    rates = [schedule.rate_at(step) for step in range(100)]
    assert rates[0] == 0.1
    assert rates[30] == 1.0
    assert rates[75] == 0.5
    assert rates[99] < 0.03


def test_a_training_that_was_stopped_goes_on_to_the_same_bits(tmp_path):
    whole = Fitting(TINY, QUICK)
    losses = list(whole.run(600))
    part = Fitting(TINY, QUICK)
    first = list(itertools.islice(part.run(600), 3))
    save(part, tmp_path, {"minutes": 0.1})
    again, record = resumed(tmp_path)
    assert record["minutes"] == 0.1
    assert [*first, *again.run(600)] == losses
    for name, tensor in whole.average.state_dict().items():
        assert torch.equal(tensor, again.average.state_dict()[name]), name


def test_what_is_kept_can_be_read_as_weights(tmp_path):
    made = Fitting(TINY, QUICK)
    next(made.run(600))
    save(made, tmp_path, {"minutes": 0.1, "hardware": "a machine"})
    assert not list(tmp_path.glob("*.part"))
    weights = read_weights(tmp_path)
    assert weights.design == TINY
    assert weights.about == "1 steps in 0 minutes on a machine"
    state = load_file(tmp_path / "model.safetensors")
    assert len(weights.vector) == sum(tensor.numel() for tensor in state.values())


def test_where_nothing_was_trained_nothing_goes_on(tmp_path):
    with pytest.raises(BackboneError, match=r"no training\.json; expected a folder that a training"):
        resumed(tmp_path)


def test_the_command_trains_goes_on_and_writes_its_curve(tmp_path, capsys):
    options = ["--batches", "1", "--cells", "200", "--largest", "20", "--lanes", "1", "--width", "8", "--heads", "1"]
    options += ["--layers", "1", "--depth", "0", "--wide", "1", "--validation", "4"]
    main([str(tmp_path), "--steps", "2", *options])
    main([str(tmp_path), "--steps", "3", *options])
    record = json.loads((tmp_path / "training.json").read_text("utf-8"))
    assert [point[0] for point in record["curve"]] == [2, 3]
    assert np.isfinite(record["curve"]).all()
    assert record["minutes"] > 0
    assert "from step 2" in capsys.readouterr().out


@pytest.mark.parametrize("classes", [3, 0])
def test_every_part_learns_what_it_is_shown_again_and_again(classes):
    made = Fitting(TINY, QUICK)
    batch = draw(Chance(0), Shape(2, 40, 20, 3, classes))
    losses = []
    for _ in range(80):
        made.network.zero_grad()
        loss = loss_of(made.network, batch)
        loss.backward()
        losses.append(float(loss.detach()))
        for optimizer in made.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = 0.02
            optimizer.step()
    assert losses[-1] < losses[0] - 0.3
    still = [name for name, p in made.network.named_parameters() if p.grad is None or not p.grad.any()]
    assert {name.partition(".")[0] for name in still} <= {"answer", "logits", "trust"}
