"""WiSE-FT: its ends are the probe and the tuned network, bit for bit, and the path is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small import Rows, data_of, noise
from torch.nn import functional

from headstart.finetuning.lp_ft import LPFT
from headstart.finetuning.states import between, copied
from headstart.finetuning.wise_ft import WiSEFT
from headstart.heads.calibrate import calibrate
from headstart.losses.supervised import Supervised
from headstart.tasks import CLASSIFICATION
from headstart.training.checkpoint import Journal
from headstart.training.loop import train
from headstart.training.options import Training

TRAINING = Training(margin=1e9, epochs=2, batch=6, lr=1e-3, augment=False)  # the last weights are the tuned ones
X = noise(18, bright=1)


def run(network, tune):
    data = data_of(Rows(X), range(12), range(12, 18))
    found = train(network, data, tune, Supervised(), TRAINING, Journal(None))
    return copied(network), found


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.fixture
def ends(network):
    probe = copied(network)
    tuned, _ = run(network, LPFT())
    network.load_state_dict(probe)
    assert not equal(probe, tuned)
    return probe, tuned


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_the_ends_are_the_probe_and_the_tuned_network(network, ends, alpha):
    found, trained = run(network, WiSEFT(alpha=alpha))
    assert equal(found, ends[int(alpha)])
    assert trained.account["alpha"] == alpha


def test_a_point_between_is_where_it_was_asked_for(network, ends):
    found, _ = run(network, WiSEFT(alpha=0.25))
    assert equal(found, between(*ends, 0.25))


def test_validation_chooses_on_the_path_that_is_told(network, ends):
    found, trained = run(network, WiSEFT(points=5))
    path = dict(trained.account["path"])
    assert list(path) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert trained.account["alpha"] == min(path, key=path.get)
    assert trained.tune == WiSEFT(points=5, alpha=trained.account["alpha"])
    assert equal(found, between(*ends, trained.account["alpha"]))
    targets = torch.arange(18)[12:] % 3
    for alpha, loss in path.items():
        network.load_state_dict(between(*ends, alpha))
        with torch.no_grad():
            out = network(X[12:])
        scaled = out / calibrate(out.double().numpy(), targets.numpy(), CLASSIFICATION).temperature
        assert functional.cross_entropy(scaled, targets).item() == pytest.approx(loss, rel=1e-5)
    assert path[1.0] == pytest.approx(trained.curves[-1].val, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"points": 1}, "points = 1: expected 2 or more, for alpha 0 and 1"),
        ({"alpha": 1.5}, "alpha = 1.5: expected 0 to 1, or -1 for the best by validation"),
        ({"alpha": -0.5}, "alpha = -0.5: expected 0 to 1, or -1 for the best by validation"),
        ({"alpha": float("nan")}, "alpha = nan: expected 0 to 1, or -1 for the best by validation"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, why):
    with pytest.raises(ValueError, match=why):
        WiSEFT(**options)
    assert replace(WiSEFT(), points=2).points == 2
