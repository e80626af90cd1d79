"""A head as a torch module: whole, as a fitted model answers, or as layers that learn on top of a network."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from headstart.heads.arrays import foreign_arrays, head_arrays, head_shapes, missing_arrays
from headstart.heads.facts import HeadFacts
from headstart.heads.head import Form, Head
from headstart.heads.layers import deepest, leads_on
from headstart.linalg.distances import expanded
from headstart.tasks.task import Array, Kind

__all__ = ["FORMS", "StoredHead", "TunedHead"]

FORMS = ("plain", "root")
_BLOCK = 1024
_NODE = 5


class StoredHead(nn.Module):
    """The function of `heads.head.Head`, with all that may stand in it, over the temperature: (N, D) -> (N, C) float64.

    logits = W_k relu(... relu(W_1 z + b_1)) + b_k        x = features, or sign(features) sqrt(|features|) if "root"
    x <- x turn + shift;   x <- x / |x|  if unit;   x <- (x - mean) / scale
    z = x, or exp(-gamma |x - landmarks|^2), or the summed leaves of the trees

    tensors   "mean" (D,), "scale" (D,), "weight.0" (D, H), "bias.0" (H,), "weight.1" ...: as the model keeps them
    form      "plain" or "root"

    It stays in float64 wherever it is moved to, so that a backbone in another precision leaves it as it was fitted.
    `KeyError` where a tensor is missing; `ValueError` for one that it could not use, for trees that lead nowhere, for
    another form, and for a temperature not above 0; `RuntimeError` where two do not fit.
    """

    def __init__(self, tensors: dict[str, Tensor], form: str, temperature: float) -> None:
        super().__init__()
        _check(tensors, form, temperature)
        self.form, self.temperature = form, temperature
        for name, tensor in tensors.items():
            self.register_buffer(_buffer(name), tensor.detach().double())
        self.count = 1 + _last(tensors)
        trees = tensors.get("trees", torch.zeros(0, 1, _NODE))
        self.depth, self.shape = deepest(trees.numpy()), (len(trees), trees.shape[1])
        self.functions = len(tensors["weight.0"])

    def forward(self, features: Tensor) -> Tensor:
        x = features.double()
        if self.form == "root":
            root = x.abs().sqrt().copysign(x)
            x = root if features.dtype == torch.float64 else root.float().double()  # as rounded as numpy's own root
        x = self._below(self._standardised(x))
        for layer in range(self.count):
            x = (x.relu() if layer else x) @ self._get(f"weight.{layer}") + self._get(f"bias.{layer}")
        return x / self.temperature

    def logits(self, features: Array) -> Array:
        """The same from an array, in blocks of rows: (N, D) -> (N, C) float64."""
        with torch.inference_mode():
            parts = [self(torch.from_numpy(part)).cpu().numpy() for part in _blocks(np.asarray(features))]
        return np.concatenate(parts)

    def _standardised(self, x: Tensor) -> Tensor:
        if self._has("turn"):
            x = x @ self._get("turn") + self._get("shift")
        if self._has("unit"):
            lengths = x.square().sum(1, keepdim=True).sqrt()
            x = x / torch.where(lengths > 0, lengths, 1.0)
        return (x - self._get("mean")) / self._get("scale")

    def _below(self, x: Tensor) -> Tensor:
        """What the linear layers stand on."""
        if self._has("landmarks"):
            return self._radial(x, self._get("landmarks"))
        return self._grown(x, self._get("trees")) if self._has("trees") else x

    def _radial(self, x: Tensor, landmarks: Tensor) -> Tensor:
        return (-self._get("gamma") * expanded(x, landmarks)).exp()

    def _grown(self, x: Tensor, trees: Tensor) -> Tensor:
        """As `heads.layers.grown`; every row goes as many steps as the deepest leaf needs, and waits in its own."""
        x = x.float().double()
        feature, threshold, left, right, value = trees.reshape(-1, _NODE).unbind(1)
        count, nodes = self.shape
        first = torch.arange(count, device=x.device) * nodes
        first = place = torch.zeros_like(x[:, :1], dtype=torch.int64) + first
        for _ in range(self.depth):
            asked = feature[place].long()
            low = x.gather(1, asked.clamp_min(0)) <= threshold[place]
            place = torch.where(asked < 0, place, first + torch.where(low, left[place], right[place]).long())
        return value[place].reshape(-1, count // self.functions, self.functions).sum(1)

    def _has(self, name: str) -> bool:
        return _buffer(name) in self._buffers

    def _get(self, name: str) -> Tensor:
        return cast(Tensor, self._buffers[_buffer(name)])

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """To another device, and never to another precision."""
        device = fn(torch.zeros(0)).device
        return cast(Self, cast(Any, super())._apply(lambda tensor: tensor.to(device), recurse))


class TunedHead(nn.Module):
    """The last layer: logits = W x + b, where x = (shaped(features) - mean) / scale, of which in training a share drops
    out. With a hidden layer, x <- relu(W_1 x + b_1) before that. Only W and b can learn. (N, D) -> (N, C).
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self, mean: Array, scale: Array, outputs: int, *, form: Form = "plain", hidden: int = 0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.form = form
        self.register_buffer("mean", torch.from_numpy(np.array(mean, np.float32)))
        self.register_buffer("scale", torch.from_numpy(np.array(scale, np.float32)))
        self.hidden = nn.Linear(len(mean), hidden) if hidden else None
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(hidden or len(mean), outputs)
        nn.init.zeros_(self.linear.bias)
        nn.init.zeros_(self.linear.weight)

    @classmethod
    def like(cls, head: Head, *, dropout: float = 0.0) -> TunedHead:
        """The same function as a fitted head of one layer, at its temperature. ValueError for one that has more."""
        if more := sorted(head.arrays.keys() - {"mean", "scale", "weight.0", "bias.0"}):
            raise ValueError(
                f"the {head.name} head has more than one layer: use ridge or logistic, since a network whose weights "
                f"learn cannot begin with its {', '.join(more)}"
            )
        outputs = head.arrays["weight.0"].shape[1]
        made = cls(head.arrays["mean"], head.arrays["scale"], outputs, form=head.form, dropout=dropout)
        with torch.no_grad():
            made.linear.weight.copy_(torch.from_numpy(head.arrays["weight.0"].T / head.temperature))
            made.linear.bias.copy_(torch.from_numpy(head.arrays["bias.0"] / head.temperature))
        return made

    def standardised(self, features: Tensor) -> Tensor:
        """x above, (N, D)."""
        if self.form == "root":
            features = signed_root(features, 0.1 * self.scale)
        return (features - self.mean) / self.scale

    def forward(self, features: Tensor) -> Tensor:
        x = self.standardised(features)
        if self.hidden is not None:
            x = torch.relu(self.hidden(x))
        logits: Tensor = self.linear(self.dropout(x))
        return logits

    def exported(self, kind: Kind, *, temperature: float, facts: HeadFacts) -> Head:
        """As plain arrays, for the artefact."""
        arrays = {
            "mean": self.mean.double().numpy().copy(),
            "scale": self.scale.double().numpy().copy(),
        }
        for number, layer in enumerate(filter(None, (self.hidden, self.linear))):
            arrays[f"weight.{number}"] = layer.weight.detach().numpy().T.copy()
            arrays[f"bias.{number}"] = layer.bias.detach().double().numpy().copy()
        name = "linear" if self.hidden is None else "neural"
        return Head(name=name, kind=kind, arrays=arrays, temperature=temperature, form=self.form, facts=facts)


def signed_root(features: Tensor, least: Tensor) -> Tensor:
    """sign(x) sqrt(|x|), see `heads.head.shaped`. Its slope, 1 / (2 sqrt(|x|)), is endless at 0; it is cut off where
    the root is less than `least`, so that a channel that is silent can wake up without a leap."""
    root = features.detach().abs().sqrt()
    slope = 0.5 / root.clamp_min(least)
    return root.copysign(features.detach()) + slope * (features - features.detach())


def _buffer(name: str) -> str:
    return name.replace(".", "_")


def _blocks(features: Array) -> list[Any]:
    starts = range(0, max(1, len(features)), _BLOCK)
    return [np.array(features[start : start + _BLOCK]) for start in starts]


def _check(tensors: dict[str, Tensor], form: str, temperature: float) -> None:
    if not temperature > 0:
        raise ValueError(f"temperature = {temperature}: expected a number above 0")
    if form not in FORMS:
        raise ValueError(f"form = {form!r}: expected {' or '.join(map(repr, FORMS))}")
    expected = ", ".join(head_arrays(tensors))
    if missing := missing_arrays(tensors):
        raise KeyError(f"{', '.join(missing)} is missing: expected {expected}")
    if foreign := foreign_arrays(tensors):
        raise ValueError(f"it holds {', '.join(foreign)}, which no head here can use: expected only {expected}")
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    first = shapes.get("turn", shapes["mean"])
    for name, shape in head_shapes(shapes, next(iter(first), 1), math.prod(shapes[f"bias.{_last(tensors)}"])):
        if shapes[name] != shape:
            raise RuntimeError(f"size mismatch: {name} has the shape {shapes[name]}, expected {shape}")
    if "trees" in tensors and not leads_on(tensors["trees"].numpy(), tensors["mean"].numel()):
        raise ValueError("trees hold a node that leads nowhere")
    if "trees" in tensors and (not len(tensors["weight.0"]) or len(tensors["trees"]) % len(tensors["weight.0"])):
        raise ValueError(
            f"{len(tensors['trees'])} trees for {len(tensors['weight.0'])} functions: expected as many for each"
        )


def _last(tensors: dict[str, Tensor]) -> int:
    """The number of the last layer."""
    return max(1, sum(name.startswith("weight.") for name in tensors)) - 1
