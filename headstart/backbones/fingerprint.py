"""The identity of a backbone: one BLAKE3 hash (O'Connor et al., 2020) over architecture, weights and preprocessing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import torch
from blake3 import blake3
from torch import nn

from headstart.linalg.forked import is_forked
from headstart.preprocessing.spec import Preprocess, preprocess_to_json

__all__ = ["fingerprint"]


def fingerprint(module: nn.Module | None, preprocess: Preprocess | None, spec: dict[str, Any]) -> str:
    """64 hex digits that change with any weight, any name or shape, the architecture or the preprocessing.

    They do not change with the name of the backbone, the place of its files or the order of its tensors.
    """
    hasher = blake3(max_threads=1 if is_forked() else blake3.AUTO)
    for part in _parts(module, preprocess, spec):
        hasher.update(len(part).to_bytes(8, "little"))
        hasher.update(part)
    return hasher.hexdigest()


def _parts(
    module: nn.Module | None, preprocess: Preprocess | None, spec: dict[str, Any]
) -> Iterator[bytes | memoryview]:
    yield _canonical(spec)
    yield _canonical(preprocess_to_json(preprocess))
    for name, tensor in sorted(module.state_dict().items() if module else ()):
        yield f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode()
        yield tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
