"""What a folder of sentence-transformers (Reimers and Gurevych, 2019) does with a transformer's output: pooling, and
dense layers behind it. Rows are not scaled to length one: a head sees the length too."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from headstart.backbones.encoders import TextEncoder
from headstart.backbones.weights import fill, read_weights
from headstart.errors import BackboneError
from headstart.preprocessing.config_file import read_config, read_json

__all__ = ["KEYS", "SentenceEncoder", "dense_layers", "pooling_of", "transformer_folder", "with_dense"]

KEYS = ("base", "dense")
_MODES = {
    "cls_token": "cls",
    "mean_tokens": "mean",
    "max_tokens": "max",
    "lasttoken": "last",
    "mean_sqrt_len_tokens": "sqrt",
    "weightedmean_tokens": "weighted",
}
_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "Tanh": nn.Tanh,
    "Identity": nn.Identity,
    "ReLU": nn.ReLU,
    "GELU": nn.GELU,
    "Sigmoid": nn.Sigmoid,
    "SiLU": nn.SiLU,
}
_WITHOUT_WEIGHTS = ("Normalize", "Dropout")


class SentenceEncoder(nn.Module):
    """A text encoder with dense layers on its rows: (input_ids, attention_mask), each (N, L) int64 -> (N, D).

    dense   of each layer its inputs, its outputs, whether it has a bias, and its activation
    """

    def __init__(self, encoder: TextEncoder, dense: list[list[Any]]) -> None:
        super().__init__()
        self.encoder = encoder
        self.pool = encoder.pool
        layers = [
            nn.Sequential(nn.Linear(inputs, outputs, bias=bias), _ACTIVATIONS[activation]())
            for inputs, outputs, bias, activation in dense
        ]
        self.dense = nn.Sequential(*layers)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        rows: Tensor = self.dense(self.encoder(input_ids, attention_mask))
        return rows


class Dense(NamedTuple):
    """As `SentenceEncoder` takes it, and its weights by name."""

    layer: list[Any]
    tensors: dict[str, Tensor]


def transformer_folder(folder: Path) -> Path:
    """Where the transformer lies in a folder of sentence-transformers: the folder itself, or one in it."""
    first = next((module for module in _modules(folder) if _kind(module) == "Transformer"), None)
    inside = "" if first is None else str(first.get("path", ""))
    return folder / _plain(folder, inside) if inside and not (folder / "config.json").is_file() else folder


def pooling_of(folder: Path, default: str) -> str:
    """How tokens become a row; several ways beside each other are joined by "+". The default where nothing is said."""
    path = next((module["path"] for module in _modules(folder) if _kind(module) == "Pooling"), "1_Pooling")
    config = read_config(folder / _plain(folder, path), optional=True)
    modes = config.get("pooling_mode")
    if isinstance(modes, str):
        config = {f"pooling_mode_{'cls_token' if modes == 'cls' else modes}": True}
        if modes in ("mean", "max"):
            config = {f"pooling_mode_{modes}_tokens": True}
    pools = [pool for mode, pool in _MODES.items() if config.get(f"pooling_mode_{mode}")]
    return "+".join(pools) or default


def dense_layers(folder: Path) -> list[Dense]:
    """The dense layers behind the pooling. `BackboneError` for a module of another kind, whose code is not run."""
    layers = []
    for module in _modules(folder):
        kind = _kind(module)
        if kind in ("Transformer", "Pooling", *_WITHOUT_WEIGHTS):
            continue
        if kind != "Dense":
            raise BackboneError(f"{folder / 'modules.json'}: the module {kind!r} is not supported; expected Dense.")
        place = folder / _plain(folder, str(module.get("path")))
        config = read_config(place)
        activation = str(config.get("activation_function")).rpartition(".")[2]
        if activation not in _ACTIVATIONS:
            raise BackboneError(f"{place}: activation {activation!r}; expected {', '.join(_ACTIVATIONS)}.")
        shape = [int(config["in_features"]), int(config["out_features"]), bool(config.get("bias", True)), activation]
        tensors = {name.removeprefix("linear."): tensor for name, tensor in read_weights(place).items()}
        layers.append(Dense(shape, tensors))
    return layers


def with_dense(encoder: TextEncoder, layers: list[Dense], where: str) -> SentenceEncoder:
    """The encoder with these layers, whose weights are filled in."""
    module = SentenceEncoder(encoder, [dense.layer for dense in layers])
    for place, dense in zip(module.dense, layers, strict=True):
        linear = place.get_submodule("0")
        fill(linear, {name: tensor.to(torch.float32) for name, tensor in dense.tensors.items()}, where)
    return module


def _modules(folder: Path) -> list[dict[str, Any]]:
    modules = read_json(folder / "modules.json") if (folder / "modules.json").is_file() else []
    return [module for module in modules if isinstance(module, dict)] if isinstance(modules, list) else []


def _kind(module: dict[str, Any]) -> str:
    return str(module.get("type")).rpartition(".")[2]


def _plain(folder: Path, name: str) -> str:
    """The name of a folder in this one, and nothing that leads out of it."""
    if Path(name).name != name:
        raise BackboneError(f"{folder / 'modules.json'}: {name!r} is not the name of a folder in it.")
    return name
