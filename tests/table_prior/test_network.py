"""The network: what must not matter to it does not, before and after it has learnt."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headstart.table_prior.network import BINS, Design, TablePrior, bin_centres

SMALL = Design(width=16, heads=2, layers=2, depth=1, wide=1)


@pytest.fixture(scope="module")
def network():
    """One whose every weight is drawn, so that all of it takes part."""
    torch.manual_seed(0)
    made = TablePrior(SMALL)
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=parameter.shape[-1] ** -0.5)
    return made.requires_grad_(False)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=(2, 26, 4)), dtype=torch.float32)
    x[0, 3, 1] = torch.nan
    return x, torch.tensor(rng.integers(0, 3, (2, 20)))


def alike(one, other):
    torch.testing.assert_close(one, other, atol=2e-4, rtol=0)


def test_the_order_of_columns_and_of_context_rows_changes_nothing(network, rows):
    x, y = rows
    logits = network(x, y, 3)
    assert logits.shape == (2, 6, 3)
    alike(network(x[:, :, [2, 0, 3, 1]], y, 3), logits)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    alike(network(torch.cat([x[:, order], x[:, 20:]], 1), y[:, order], 3), logits)


def test_rows_asked_are_answered_each_for_itself(network, rows):
    x, y = rows
    logits = network(x, y, 3)
    alike(network(x[:, :22], y, 3), logits[:, :2])
    moved = torch.cat([x[:, :20], x[:, 20:].flip(1)], 1)
    alike(network(moved, y, 3), logits.flip(1))


def test_units_and_shifts_change_nothing(network, rows):
    x, y = rows
    alike(network(x * torch.tensor([1.0, 10.0, 0.1, 100.0]) + 3.0, y, 3), network(x, y, 3))


def test_values_are_answered_by_bins_whose_centres_rise(network, rows):
    x, _ = rows
    y = torch.randn(2, 20, generator=torch.Generator().manual_seed(0))
    assert network(x, y, 0).shape == (2, 6, BINS)
    centres = bin_centres()
    assert (centres.diff() > 0).all()
    torch.testing.assert_close(centres, -centres.flip(0))


def test_an_untrained_network_says_what_its_smoothers_say_and_turns_round_with_the_classes(rows):
    x, y = rows
    torch.manual_seed(0)
    network = TablePrior(SMALL).requires_grad_(False)
    turned = network(x, (y + 1) % 3, 3)
    alike(turned, network(x, y, 3).roll(1, 2))


def test_one_class_bare_columns_and_one_column_are_answered(network, rows):
    x, y = rows
    assert network(x, torch.zeros_like(y), 1).isfinite().all()
    blank = torch.full_like(x, torch.nan)
    assert network(blank, y, 3).isfinite().all()
    assert network(torch.ones_like(x), y, 3).isfinite().all()
    assert network(x[:, :, :1], y, 3).isfinite().all()
