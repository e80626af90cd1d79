"""The greedy soup against a naive rerun of the algorithm, and its options."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headstart.finetuning.soup import Soup


class Valley:
    """A loss of weights with its best point somewhere, and what was reported."""

    def __init__(self, network, best):
        self.network, self.best, self.account = network, best, {}

    validates = True

    def validation(self):
        return float((self.network.head.linear.bias.detach() - self.best).square().sum())

    def settle(self, tune, account):
        self.tune, self.account = tune, account


def cooked(network, soup, ends, best):
    """Each run ends where the test says."""
    progress = Valley(network, torch.tensor(best))
    source = {name: value.clone() for name, value in network.state_dict().items()}
    rates = []
    for stage, end in zip(soup(network, progress), ends, strict=True):
        assert all(torch.equal(value, source[name]) for name, value in network.state_dict().items())
        rates.append(stage.lr)
        with torch.no_grad():
            network.head.linear.bias.copy_(torch.tensor(end))
    return progress, rates


def naive(ends, best):
    """Algorithm 1, on points."""
    ends, best = np.array(ends, np.float64), np.array(best)

    def loss(points):
        return float(((np.mean(points, axis=0) - best) ** 2).sum())

    order = sorted(range(len(ends)), key=lambda k: loss([ends[k]]))
    chosen = order[:1]
    for k in order[1:]:
        if loss(ends[[*chosen, k]]) <= loss(ends[chosen]):
            chosen.append(k)
    return chosen, np.mean(ends[chosen], axis=0), loss(ends[chosen])


@pytest.mark.parametrize("seed", range(12))
def test_the_choice_is_that_of_the_algorithm(network, seed):
    rng = np.random.default_rng(seed)
    ends, best = rng.standard_normal((5, 3)).round(2).tolist(), (rng.standard_normal(3) / 3).round(2).tolist()
    progress, _ = cooked(network, Soup(runs=5), ends, best)
    chosen, point, loss = naive(ends, best)
    assert progress.account["soup"] == chosen
    assert progress.tune == Soup(runs=5, soup=tuple(chosen))
    np.testing.assert_allclose(network.head.linear.bias.detach(), point, atol=1e-6)
    assert progress.account["soup_loss"] == pytest.approx(loss, rel=1e-4)
    assert progress.validation() == pytest.approx(progress.account["soup_loss"])
    assert [number for number, _ in progress.account["tried"]] == sorted(
        range(5), key=lambda k: ((np.array(ends[k]) - best) ** 2).sum()
    )


def test_one_that_helps_nobody_is_the_best_run_to_the_bit(network):
    progress, rates = cooked(network, Soup(runs=2, spread=4.0), [[0.1, 0.1, 0.1], [9.0, 9.0, 9.0]], [0.1, 0.1, 0.1])
    assert progress.account["soup"] == [0]
    assert torch.equal(network.head.linear.bias.detach(), torch.tensor([0.1, 0.1, 0.1]))
    assert rates == [4.0, 0.25]


def test_a_tie_is_taken(network):
    progress, _ = cooked(network, Soup(runs=3), [[1.0, 0.0, 0.0]] * 3, [0.0, 0.0, 0.0])
    assert progress.account["soup"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"runs": 1}, "runs = 1: expected 2 or more; method 'lp-ft' is a single one"),
        ({"spread": 0.5}, "spread = 0.5: expected 1 or more"),
        ({"spread": float("nan")}, "spread = nan: expected 1 or more"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, why):
    with pytest.raises(ValueError, match=why):
        Soup(**options)
