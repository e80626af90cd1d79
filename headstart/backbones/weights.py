"""Weights from files into a module: safetensors by preference, never unpickled, never silently incomplete."""

from __future__ import annotations

import io
from collections import OrderedDict
from pathlib import Path
from pickle import UnpicklingError  # what torch raises where weights_only=True refuses a file
from typing import Any

import torch
from blake3 import blake3
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor, nn

from headstart.errors import BackboneError, MissingWeights

__all__ = ["SAFE", "UNSAFE", "files_hash", "fill", "nested_weights", "parse_weights", "read_weights"]

SAFE = "model.safetensors"
UNSAFE = "pytorch_model.bin"


def read_weights(folder: Path) -> dict[str, Tensor]:
    """The tensors of a folder's model.safetensors, else of its pytorch_model.bin; `MissingWeights` without either."""
    for name in (SAFE, UNSAFE):
        if (folder / name).is_file():
            return parse_weights((folder / name).read_bytes(), str(folder / name))
    raise MissingWeights(
        f"{folder}: no {SAFE} and no {UNSAFE} in this folder; expected the weights beside config.json."
    )


def files_hash(folder: Path) -> str:
    """A BLAKE3 hash of the names and bytes of the files of weights and of JSON that lie in a folder."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors", ".bin"))
    hasher = blake3()
    for path in files:
        hasher.update(blake3(path.name.encode()).digest() + blake3().update_mmap(path).digest())
    return hasher.hexdigest()


def parse_weights(data: bytes, where: str) -> dict[str, Tensor]:
    """Tensors by name from the bytes of a file; `where` tells its format by its suffix and names it in errors."""
    return _checked(_parsed(data, where), where)


def nested_weights(data: bytes, where: str, key: str) -> dict[str, Tensor]:
    """The same of a file in which they stand under a key, such as "state_dict", beside what else a training kept."""
    tensors = _parsed(data, where)
    if not isinstance(tensors, dict) or key not in tensors:
        raise BackboneError(f"{where}: expected a dictionary with the tensors under {key!r}.")
    return _checked(tensors[key], where)


def _parsed(data: bytes, where: str) -> Any:
    try:
        if where.endswith(".safetensors"):
            return dict(safetensors.load(data))
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (SafetensorError, UnpicklingError, RuntimeError, EOFError, KeyError, ValueError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BackboneError(f"{where}: not a readable file of weights ({why[:200]}); fetch it again.") from error


def _checked(tensors: Any, where: str) -> dict[str, Tensor]:
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise BackboneError(f"{where}: expected a dictionary of tensors; save the model's state_dict() instead.")
    return dict(tensors)


def fill(module: nn.Module, tensors: dict[str, Tensor], where: str) -> None:
    """Copy the tensors into the module: each name and each shape must be there, and nothing else."""
    own = module.state_dict()
    wanted = {name: tuple(tensor.shape) for name, tensor in own.items()}
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    wrong = [f"{name} is missing" for name in wanted if name not in shapes]
    wrong += [f"{name} is not of this architecture" for name in shapes if name not in wanted]
    wrong += [
        f"{name} has the shape {shapes[name]}, expected {shape}"
        for name, shape in wanted.items()
        if name in shapes and shapes[name] != shape
    ]
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise BackboneError(f"{where}: the weights do not fit the architecture: {'; '.join(wrong[:3])}{more}.")
    # The names are those of this version of the module, which some networks want to be told.
    given = OrderedDict(tensors)
    given._metadata = getattr(own, "_metadata", {})  # type: ignore[attr-defined]
    module.load_state_dict(given, strict=True)
