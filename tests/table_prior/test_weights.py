"""Weights as a folder and as one vector; what is damaged is refused in words."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from headstart import BackboneError, MissingWeights
from headstart.table_prior.network import Design, TablePrior
from headstart.table_prior.weights import (
    checked_design,
    network_of,
    read_weights,
    size_of,
    untrained,
    write_weights,
)

TINY = Design(width=8, heads=1, layers=1, depth=1, wide=1)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    write_weights(TablePrior(TINY), tmp_path)
    (tmp_path / "training.json").write_text(json.dumps({"design": TINY._asdict()}), "utf-8")
    return tmp_path


def test_a_vector_is_the_network_again(folder):
    weights = read_weights(folder)
    torch.manual_seed(0)
    network, again = TablePrior(TINY).requires_grad_(False), network_of(weights.design, weights.vector)
    assert size_of(TINY) == len(weights.vector)
    x, y = torch.randn(1, 12, 3), torch.arange(8)[None] % 2
    assert torch.equal(network(x, y, 2), again(x, y, 2))


def test_to_make_an_untrained_network_draws_nothing():
    torch.manual_seed(3)
    first = torch.rand(1)
    torch.manual_seed(3)
    assert untrained().about.startswith("none")
    assert torch.rand(1) == first


def test_what_is_missing_or_damaged_is_refused(folder):
    (folder / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(BackboneError, match="no weights of the table prior"):
        read_weights(folder)
    save_file({"other": torch.zeros(2)}, folder / "model.safetensors")
    with pytest.raises(BackboneError, match="no weights of the table prior"):
        read_weights(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(MissingWeights, match=r"no model.safetensors; expected a folder that `python -m"):
        read_weights(folder)


@pytest.mark.parametrize("numbers", [[8, 3, 1, 1, 1], [8, 0, 1, 1, 1], [8.5, 1, 1, 1, 1], [8, 1, 999, 1, 1]])
def test_a_design_of_no_network_is_refused(numbers):
    with pytest.raises(ValueError, match="is of no network here"):
        checked_design(numbers)
