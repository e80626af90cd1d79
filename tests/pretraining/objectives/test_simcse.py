"""SimCSE: the cost against its formula, and networks without dropout."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from headstart.backbones.load import load
from headstart.errors import BackboneError
from headstart.pretraining.objectives.simcse import SimCSE, simcse, twice


def test_the_cost_is_that_of_the_paper():
    z, other, t = torch.randn(8, 5), torch.randn(8, 5), 0.2

    def score(a, b):
        return math.exp(float(a @ b / (a.norm() * b.norm())) / t)

    terms = [-math.log(score(z[i], other[i]) / sum(score(z[i], other[j]) for j in range(8))) for i in range(8)]
    assert float(simcse(z, other, t)) == pytest.approx(sum(terms) / 8, rel=1e-4)


def test_each_text_comes_two_times():
    ids = np.arange(6).reshape(2, 3)
    views = twice((ids, ids + 1), [3, 3], [])
    assert [view.shape for view in views] == [(2, 2, 3)] * 2
    assert np.array_equal(views[1][:, 0], views[1][:, 1])


def test_a_network_without_dropout_is_refused(steady):
    with pytest.raises(BackboneError, match=r"has no dropout, by which simcse tells two views of a text apart"):
        SimCSE().suits(load(f"file:{steady}"))
    with pytest.raises(ValueError, match="temperature = 0: expected more than 0"):
        SimCSE(temperature=0)
