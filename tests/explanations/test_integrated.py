"""Integrated gradients by hand: exact for a linear function, and complete for one that is not."""

from __future__ import annotations

import builtins

import numpy as np
import pytest
import torch

from headstart.explanations.integrated import integrated_gradients


def test_of_a_linear_function_they_are_weight_times_difference():
    w = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64)
    x, baseline = torch.tensor([[1.0, 2.0, 3.0]]).double(), torch.tensor([[0.5, 0.0, -1.0]]).double()
    values, base, score = integrated_gradients(lambda point: point @ w, x, baseline)
    np.testing.assert_allclose(values, [1.0, -2.0, 2.0], rtol=1e-7)
    np.testing.assert_allclose([base, score], [0.5, 1.5], rtol=1e-7)


def test_of_a_product_both_factors_share_it_and_nothing_is_lost():
    x, baseline = torch.tensor([[3.0, 4.0]]).double(), torch.zeros(1, 2).double()
    values, base, score = integrated_gradients(lambda point: point[:, 0] * point[:, 1], x, baseline)
    np.testing.assert_allclose(values, [6.0, 6.0], rtol=1e-7)
    assert (base, score) == (0.0, 12.0)


def test_they_add_up_for_what_bends():
    x, baseline = torch.tensor([[0.3, -1.0, 2.0]]).double(), torch.tensor([[1.0, 1.0, 0.0]]).double()
    values, base, score = integrated_gradients(lambda point: torch.tanh(point).prod(1), x, baseline)
    assert abs(values.sum() - (score - base)) < 1e-7


def test_without_captum_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == "captum":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"captum: pip install 'headstart\[explain\]'"):
        integrated_gradients(lambda point: point.sum(1), torch.ones(1, 2), torch.zeros(1, 2))
