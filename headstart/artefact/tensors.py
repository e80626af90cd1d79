"""The tensors of a model, by name, to and from safetensors bytes: backbone.*, head.*, encoder.*, uncertainty.*.

What is read stays bytes until it is asked for: a head and an encoder become arrays, a backbone tensors of torch, which
is not imported for a model without one.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from safetensors import SafetensorError, deserialize

from headstart.artefact.config import places
from headstart.artefact.model import Model
from headstart.backbones.backbone import Backbone
from headstart.errors import ArtefactError
from headstart.heads.arrays import foreign_arrays, head_arrays, head_shapes, missing_arrays
from headstart.heads.layers import leads_on, misread
from headstart.tasks.task import Array

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]

__all__ = [
    "StoredTensor",
    "StoredTensors",
    "arrays_under",
    "as_tensors",
    "backbone_tensors",
    "check_head",
    "same_bits",
    "stored_tensors",
    "tensors_of",
    "to_bytes",
    "under",
]

_TYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
    "C64": "complex64", "F8_E4M3": "float8_e4m3fn", "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2": "float8_e5m2",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}  # fmt: skip
"""What safetensors calls a type -> what torch calls it."""
T = TypeVar("T")


class StoredTensor(NamedTuple):
    """A tensor as safetensors holds it: little-endian numbers of a type called `dtype`, in C order."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes | bytearray


StoredTensors = dict[str, StoredTensor]


def tensors_of(model: Model, *, slim: bool) -> Tensors:
    """Every tensor of the model, no two sharing memory: tied parameters are stored under each of their names."""
    tensors: Tensors = {}
    if model.backbone is not None and not slim:
        tensors |= backbone_tensors(model.backbone)
    tensors |= {f"head.{name}": _from_array(array, f"head.{name}") for name, array in model.head.arrays.items()}
    if model.encoder is not None:
        tensors |= {
            f"encoder.{name}": _from_array(array, f"encoder.{name}") for name, array in model.encoder[1].items()
        }
    if model.uncertainty is not None:
        tensors |= {
            f"uncertainty.{name}": _from_array(array, f"uncertainty.{name}")
            for name, array in model.uncertainty.arrays().items()
        }
    for number, (member, place) in enumerate(zip(model.beside, places(model), strict=True), 1):
        items = tensors_of(member.model, slim=slim or place != number).items()
        tensors |= {f"beside.{number}.{name}": tensor for name, tensor in items}
    return tensors


def backbone_tensors(backbone: Backbone) -> Tensors:
    """Those of a backbone, as they are called in a model; none where it has no weights."""
    state = {} if backbone.module is None else _apart(backbone.module.state_dict())
    return {f"backbone.{name}": tensor for name, tensor in state.items()}


def to_bytes(tensors: Tensors) -> bytes:
    import safetensors.torch

    data: bytes = safetensors.torch.save(tensors, metadata={"format": "pt"})
    return data


def stored_tensors(data: bytes, name: str) -> StoredTensors:
    """The tensors in the bytes of a safetensors file called `name`."""
    try:
        entries = deserialize(data)  # type: ignore[no-untyped-call]
        tensors = {key: StoredTensor(entry["dtype"], tuple(entry["shape"]), entry["data"]) for key, entry in entries}
        if unknown := {tensor.dtype for tensor in tensors.values()} - _TYPES.keys():
            raise ValueError(f"it holds numbers of the type {', '.join(sorted(unknown))}")
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ArtefactError(f"{name} is not a valid safetensors file ({error}): take a fresh copy of it") from error
    return tensors


def as_tensors(stored: Mapping[str, StoredTensor]) -> Tensors:
    """Tensors of torch on the CPU."""
    return {name: _tensor(tensor) for name, tensor in stored.items()}


def under(prefix: str, tensors: Mapping[str, T]) -> dict[str, T]:
    """The tensors called `prefix.*`, without the prefix."""
    return {name.removeprefix(f"{prefix}."): t for name, t in tensors.items() if name.startswith(f"{prefix}.")}


def arrays_under(prefix: str, tensors: Mapping[str, StoredTensor]) -> dict[str, Array]:
    """The same as numpy arrays."""
    try:
        return {name: _array(tensor) for name, tensor in under(prefix, tensors).items()}
    except TypeError as error:
        raise ArtefactError(f"model.safetensors: {prefix}.* holds a type that numpy lacks ({error})") from error


def same_bits(saved: Tensors, again: Tensors) -> str | None:
    """None where both hold the same names, types, shapes and bits; else the first name that differs."""
    import torch

    for name in sorted(saved.keys() | again.keys()):
        if name not in saved or name not in again:
            return name
        a, b = saved[name], again[name]
        if a.dtype != b.dtype or a.shape != b.shape or not torch.equal(_bits(a), _bits(b)):
            return name
    return None


def check_head(arrays: Mapping[str, Array], *, features: int | None, outputs: int) -> None:
    """Refuse a head that could not answer: a missing or foreign array, a wrong type or shape, NaN or infinity.

    `features` is the width the backbone gives (None where it is not known), `outputs` the number of logits.
    """
    wanted = head_arrays(arrays)
    if missing := missing_arrays(arrays):
        raise ArtefactError(f"the head lacks {', '.join(missing)}: expected {', '.join(wanted)}")
    if foreign := foreign_arrays(arrays):
        raise ArtefactError(f"the head holds {', '.join(foreign)}: expected only {', '.join(wanted)}")
    for name in wanted:
        _check_values(name, arrays[name])
    _check_shapes(arrays, features, outputs)
    if "trees" in arrays:
        _check_trees(arrays["trees"], arrays["mean"].size, len(arrays["weight.0"]))
    if "context" in arrays and (why := misread(arrays)):
        raise ArtefactError(f"the context of the head cannot be read: {why}; fit again")


def _check_values(name: str, array: Array) -> None:
    if array.dtype not in (np.float32, np.float64):
        raise ArtefactError(f"head.{name} is {array.dtype}, expected float32 or float64")
    if not np.isfinite(array).all():
        raise ArtefactError(f"head.{name} holds NaN or infinity: the fit diverged; fit again with other options")
    if name in ("scale", "gamma") and not (array > 0).all():
        raise ArtefactError(f"head.{name} holds a value that is not above 0; fit again")


def _check_shapes(arrays: Mapping[str, Array], features: int | None, outputs: int) -> None:
    first = arrays["turn"] if "turn" in arrays else arrays["mean"]
    features = len(np.atleast_1d(first)) if features is None else features
    shapes = {name: array.shape for name, array in arrays.items()}
    for name, shape in head_shapes(shapes, features, outputs):
        if shapes[name] != shape:
            raise ArtefactError(
                f"head.{name} has the shape {shapes[name]}, expected {shape} "
                f"for {features} features and {outputs} outputs"
            )


def _check_trees(trees: Array, width: int, functions: int) -> None:
    """As many trees for each of the functions that are boosted, and a leaf at the end of every way."""
    if not functions or len(trees) % functions:
        raise ArtefactError(f"head.trees holds {len(trees)} trees for {functions} functions: expected as many for each")
    if not leads_on(trees, width):
        raise ArtefactError("head.trees holds a node that leads nowhere; fit again")


def _apart(state: Mapping[str, torch.Tensor]) -> Tensors:
    """The tensors on the CPU, contiguous; one that shares its memory with an earlier one (tied weights) is copied."""
    apart: Tensors = {}
    addresses: set[int] = set()
    for name, tensor in state.items():
        tensor = tensor.detach().cpu().contiguous()
        memory = tensor.untyped_storage().data_ptr()
        apart[name] = tensor.clone() if memory in addresses else tensor
        addresses.add(memory)
    return apart


def _from_array(array: Array, name: str) -> torch.Tensor:
    import torch

    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise ArtefactError(f"{name} has the type {array.dtype}, which a saved model cannot hold: use numbers")
    return torch.from_numpy(np.array(array, dtype=array.dtype.newbyteorder("="), order="C"))


def _array(stored: StoredTensor) -> Array:
    """In this machine's order of bytes."""
    dtype = np.dtype(_TYPES[stored.dtype])
    return np.frombuffer(stored.data, dtype.newbyteorder("<")).astype(dtype).reshape(stored.shape)


def _tensor(stored: StoredTensor) -> torch.Tensor:
    import torch

    dtype = getattr(torch, _TYPES[stored.dtype])
    if not len(stored.data):  # frombuffer takes no empty buffer
        return torch.empty(stored.shape, dtype=dtype)
    data = stored.data if isinstance(stored.data, bytearray) else bytearray(stored.data)
    tensor = torch.frombuffer(data, dtype=dtype).reshape(stored.shape)
    return tensor if sys.byteorder == "little" else torch.from_numpy(tensor.numpy().byteswap())


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    import torch

    flat = torch.empty(tensor.numel(), dtype=tensor.dtype)
    return flat.copy_(tensor.reshape(-1)).view(torch.uint8)  # a copy, as one broadcast row may have a stride of 0
