"""MoCo: the cost against its formula, and the queue of keys."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from headstart.pretraining.objective import Encoded, EveryView
from headstart.pretraining.objectives.moco import MoCo, info_nce


def unit(*shape):
    return nn.functional.normalize(torch.randn(*shape), dim=1)


def test_the_cost_is_that_of_the_paper_over_keys_of_other_rows():
    q, k, m, t = unit(4, 5), unit(4, 5), unit(6, 5), 0.3
    other = torch.rand(4, 6) < 0.7
    terms = []
    for n in range(4):
        own = math.exp(float(q[n] @ k[n]) / t)
        terms.append(-math.log(own / (own + sum(math.exp(float(q[n] @ m[i]) / t) for i in range(6) if other[n, i]))))
    assert float(info_nce(q, k, m, other, t)) == pytest.approx(sum(terms) / 4, rel=1e-4)


def test_the_queue_holds_the_latest_keys_and_whose_they_are():
    encoder = EveryView(nn.Linear(6, 4), 1)
    learner = MoCo(queue=5, hidden=5, width=3).learner(encoder, 4)

    def step(rows):
        views = torch.randn(len(rows), 2, 6)
        cost = learner(Encoded(encoder(views), (views,), encoder, 0.0, torch.tensor(rows)))
        learner.stepped(encoder)
        return cost.item()

    assert step([4, 0, 2]) == pytest.approx(0, abs=1e-6)  # nothing is in the queue yet
    assert learner.owners.tolist() == [0, 2, 4, -1, -1]
    assert step([7, 8, 9]) > 0.1
    assert learner.owners.tolist() == [9, 2, 4, 7, 8]
    torch.testing.assert_close(learner.keys.norm(dim=1), torch.ones(5))
    step(list(range(10, 17)))
    assert sorted(learner.owners.tolist()) == [12, 13, 14, 15, 16]


def test_a_row_in_several_parts_is_one_row_of_its_step():
    encoder = EveryView(nn.Linear(6, 4), 1)
    learner = MoCo(queue=4, hidden=5, width=3).learner(encoder, 4)
    views = torch.randn(4, 2, 6)
    for part in (torch.arange(4), torch.arange(2), torch.arange(2, 4)):  # as when memory ends after the whole batch
        learner(Encoded(encoder(views[part]), (views[part],), encoder, 0.0, part))
    learner.stepped(encoder)
    assert learner.owners.tolist() == [0, 1, 2, 3]


def test_a_queue_of_nothing_is_refused():
    with pytest.raises(ValueError, match="queue = 0: expected 1 or more"):
        MoCo(queue=0)
