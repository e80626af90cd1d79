"""The weights of a fitted network: a folder with model.safetensors and training.json, or one vector of numbers."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from headstart.errors import BackboneError, MissingWeights
from headstart.table_prior.network import Design, TablePrior

__all__ = [
    "RECORD",
    "Weights",
    "network_of",
    "read_weights",
    "shipped",
    "size_of",
    "smoothers_of",
    "untrained",
    "write_weights",
]

RECORD, TENSORS = "training.json", "model.safetensors"
SHIPPED = Path(__file__).parent / "weights"
LARGEST = 64
"""Of a number of a design that is read: more would be another network, or a damaged file."""


class Weights(NamedTuple):
    """design   of the network
    vector   (P,) float32, its parameters one after another
    about    where they come from, in words
    """

    design: Design
    vector: Tensor
    about: str


def untrained() -> Weights:
    """A network without layers, which answers as its smoothers do."""
    network = _without_layers()
    about = "none: what kernel smoothers say, as no network has learnt from them"
    return Weights(network.design, _vector(network), about)


def smoothers_of(weights: Weights) -> Weights:
    """A network without layers that trusts its smoothers as this one does."""
    network = _without_layers()
    with torch.no_grad():
        network.trust.copy_(network_of(weights.design, weights.vector).trust)
    return Weights(network.design, _vector(network), f"{weights.about}, of which only the smoothers are kept")


def _without_layers() -> TablePrior:
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(0)
    network = TablePrior(Design(width=8, heads=1, layers=0, depth=0, wide=1))
    torch.random.set_rng_state(torch_state)
    return network


def shipped() -> Weights:
    """Those that come with the package."""
    return read_weights(SHIPPED)


def read_weights(folder: Path) -> Weights:
    """Those in a folder that a training has written. `MissingWeights` where there are none, `BackboneError` where they
    are damaged."""
    for name in (RECORD, TENSORS):
        if not (folder / name).is_file():
            raise MissingWeights(
                f"{folder}: no {name}; expected a folder that `python -m headstart.table_prior.train FOLDER` wrote."
            )
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
        design = checked_design([record["design"][name] for name in Design._fields])
        tensors = load_file(folder / TENSORS)
        network = TablePrior(design)
        network.load_state_dict(tensors)
    except (AssertionError, KeyError, RuntimeError, SafetensorError, TypeError, ValueError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BackboneError(
            f"{folder}: no weights of the table prior ({why[:200]}); train or copy them again."
        ) from error
    about = f"{record.get('step')} steps in {record.get('minutes', 0.0):.0f} minutes on {record.get('hardware')}"
    return Weights(design, _vector(network), about)


def write_weights(network: TablePrior, folder: Path) -> None:
    """Write model.safetensors, whole or not at all."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, folder / f"{TENSORS}.part")
    os.replace(folder / f"{TENSORS}.part", folder / TENSORS)


def checked_design(numbers: Any) -> Design:
    """ValueError for numbers that no network here has."""
    design = Design(*(int(number) for number in numbers))
    valid = all(0 <= number <= 8 * LARGEST and number == value for number, value in zip(design, numbers, strict=True))
    if (
        not valid
        or design.layers > LARGEST
        or design.depth > LARGEST
        or not design.heads
        or design.width % design.heads
    ):
        raise ValueError(f"the design {list(numbers)} is of no network here")
    return design


@cache
def size_of(design: Design) -> int:
    """P, how many parameters a network has."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in TablePrior(design).parameters())


def network_of(design: Design, vector: Tensor) -> TablePrior:
    """The network with these parameters (P,), on their device, frozen and float32."""
    with torch.device("meta"):
        network = TablePrior(design)
    named = dict(network.named_parameters())
    parts = torch.split(vector.float(), [parameter.numel() for parameter in named.values()])
    state = {name: part.view(parameter.shape) for (name, parameter), part in zip(named.items(), parts, strict=True)}
    network.load_state_dict(state, assign=True)
    network.settle(vector.device)
    return network.eval().requires_grad_(False)


def _vector(network: TablePrior) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
