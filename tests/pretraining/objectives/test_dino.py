"""DINO: the cost against its formula, and the centre."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from headstart.pretraining.objective import Encoded, EveryView
from headstart.pretraining.objectives.dino import DINO, distillation_cost


def softmax(row, temperature):
    powers = [math.exp(float(value) / temperature) for value in row]
    return [power / sum(powers) for power in powers]


def test_the_cost_is_the_cross_entropy_of_the_paper():
    s, t = torch.randn(8, 5), torch.randn(8, 5)
    terms = []
    for n in range(8):
        ours, theirs = softmax(s[n], 0.5), softmax(t[n], 0.2)
        terms.append(-sum(b * math.log(a) for a, b in zip(ours, theirs, strict=True)))
    assert float(distillation_cost(s, t, 0.5, 0.2)) == pytest.approx(sum(terms) / 8, rel=1e-4)


def test_the_centre_follows_the_answers_of_the_teacher_to_both_views():
    encoder = EveryView(nn.Linear(6, 4), 1)
    learner = DINO(answers=7, hidden=5, bottleneck=3, centre=0.9).learner(encoder, 4)
    views = torch.randn(8, 2, 6)
    found = Encoded(encoder(views), (views,), encoder, 0.0, torch.arange(8))
    answers = learner.h(encoder(views)).detach()
    first = distillation_cost(answers[:, 0], answers[:, 1], 0.1, 0.04)
    second = distillation_cost(answers[:, 1], answers[:, 0], 0.1, 0.04)
    assert learner(found).item() == pytest.approx((first + second).item() / 2, rel=1e-4)
    learner.stepped(encoder)
    torch.testing.assert_close(learner.c, 0.1 * answers.mean((0, 1)))


def test_a_temperature_of_nothing_is_refused():
    with pytest.raises(ValueError, match="teacher = 0: expected more than 0"):
        DINO(teacher=0)
    with pytest.raises(ValueError, match="centre = 1: expected 0 or more, and less than 1"):
        DINO(centre=1)
