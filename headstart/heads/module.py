"""A head as a torch module: frozen, as a fitted model answers, or with linear layers that learn on top of a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from headstart.heads.arrays import CONTEXT, EMBEDS, foreign_arrays, head_arrays, head_shapes, missing_arrays
from headstart.heads.facts import HeadFacts
from headstart.heads.head import Form, Head
from headstart.heads.layers import deepest, leads_on, misread
from headstart.linalg.distances import expanded
from headstart.table_prior.answers import answered, embedded
from headstart.tasks.task import Array, Kind

__all__ = ["FORMS", "HeadModule"]

FORMS = ("plain", "root")
_BLOCK = 1024
_NODE = 5


class HeadModule(nn.Module):
    """The function of `heads.head.Head`, with all that may stand in it, over the temperature: (N, D) -> (N, C).

    logits = W_k relu(... relu(W_1 z + b_1)) + b_k        x = features, or sign(features) sqrt(|features|) if "root"
    x <- x turn + shift;   x <- x / |x|  if unit;   x <- (x - mean) / scale
    z = x, or exp(-gamma |x - landmarks|^2), or the summed leaves of the trees, or what a network answers in context

    tensors   by the names of `Head.arrays`, without the linear layers where `layers` are given
    layers    linear layers that learn, in float32 as all of the head then is: a share `dropout` of what the last one is
              given drops out in training. None: nothing learns, and all is float64 wherever it is moved to, so that a
              backbone in another precision leaves it as it was fitted
    """

    mean: Tensor
    scale: Tensor
    hidden: nn.Linear | None
    linear: nn.Linear

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        form: Form,
        temperature: float = 1.0,
        *,
        layers: Sequence[nn.Linear] = (),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.form, self.temperature, self.learns = form, temperature, bool(layers)
        for name, tensor in tensors.items():
            self.register_buffer(_buffer(name), tensor.detach().to(torch.float32 if layers else torch.float64))
        self.count = len(layers) or 1 + _last(tensors)
        if "trees" in tensors:
            trees = tensors["trees"]
            self.depth, self.shape = deepest(trees.numpy()), (len(trees), trees.shape[1])
            self.functions = len(tensors["weight.0"])
        if layers:
            *below, last = layers
            self.hidden = below[0] if below else None
            self.dropout = nn.Dropout(dropout)
            self.linear = last

    @classmethod
    def stored(cls, tensors: Mapping[str, Tensor], form: str, temperature: float) -> HeadModule:
        """A fitted head as the model keeps it, frozen.

        `KeyError` where a tensor is missing; `ValueError` for one that it could not use, for trees that lead nowhere,
        for another form, and for a temperature not above 0; `RuntimeError` where two do not fit.
        """
        _check(tensors, form, temperature)
        return cls(tensors, cast(Form, form), temperature)

    @classmethod
    def fresh(
        cls, mean: Array, scale: Array, outputs: int, *, form: Form = "plain", hidden: int = 0, dropout: float = 0.0
    ) -> HeadModule:
        """One that learns and knows nothing: every logit is 0. With a hidden layer, that is drawn and the last is 0."""
        widths = (len(mean), hidden, outputs) if hidden else (len(mean), outputs)
        layers = [nn.Linear(before, after) for before, after in pairwise(widths)]
        nn.init.zeros_(layers[-1].bias)
        nn.init.zeros_(layers[-1].weight)
        return cls(_standardisation(mean, scale), form, layers=layers, dropout=dropout)

    @classmethod
    def like(cls, head: Head, *, dropout: float = 0.0) -> HeadModule:
        """One that learns on from a fitted head of one layer, at its temperature. ValueError for one that has more."""
        if more := sorted(head.arrays.keys() - {"mean", "scale", "weight.0", "bias.0"}):
            raise ValueError(
                f"the {head.name} head has more than one layer: use ridge or logistic, since a network whose weights "
                f"learn cannot begin with its {', '.join(more)}"
            )
        layer = nn.Linear(*head.arrays["weight.0"].shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(head.arrays["weight.0"].T / head.temperature))
            layer.bias.copy_(torch.from_numpy(head.arrays["bias.0"] / head.temperature))
        standardisation = _standardisation(head.arrays["mean"], head.arrays["scale"])
        return cls(standardisation, head.form, layers=[layer], dropout=dropout)

    def forward(self, features: Tensor) -> Tensor:
        return self.above(self._below(self.standardised(features)))

    def above(self, x: Tensor) -> Tensor:
        """Of what the linear layers stand on, the logits over the temperature."""
        for layer in range(self.count):
            x = self._linear(layer, x.relu() if layer else x)
        return x if self.learns else x / self.temperature

    def standardised(self, features: Tensor) -> Tensor:
        """x above, (N, D)."""
        x = self._shaped(features)
        if self._has("turn"):
            x = x @ self._get("turn") + self._get("shift")
        if self._has("unit"):
            lengths = x.square().sum(1, keepdim=True).sqrt()
            x = x / torch.where(lengths > 0, lengths, 1.0)
        return (x - self.mean) / self.scale

    def logits(self, features: Array) -> Array:
        """The same as `forward` from an array, in blocks of rows: (N, D) -> (N, C), float64 of a frozen head."""
        with torch.inference_mode():
            parts = [self(torch.from_numpy(part)).cpu().numpy() for part in _blocks(np.asarray(features))]
        return np.concatenate(parts)

    def exported(self, kind: Kind, *, temperature: float, facts: HeadFacts) -> Head:
        """What has learnt as plain arrays, for the artefact."""
        arrays = {
            "mean": self.mean.double().numpy().copy(),
            "scale": self.scale.double().numpy().copy(),
        }
        for number, layer in enumerate(filter(None, (self.hidden, self.linear))):
            arrays[f"weight.{number}"] = layer.weight.detach().numpy().T.copy()
            arrays[f"bias.{number}"] = layer.bias.detach().double().numpy().copy()
        name = "linear" if self.hidden is None else "neural"
        return Head(name=name, kind=kind, arrays=arrays, temperature=temperature, form=self.form, facts=facts)

    def _shaped(self, features: Tensor) -> Tensor:
        if self.learns:
            return signed_root(features, 0.1 * self.scale) if self.form == "root" else features
        x = features.double()
        if self.form == "plain":
            return x
        root = x.abs().sqrt() * x.sign()  # for which there is an operator in every format, as there is none of copysign
        return root if features.dtype == torch.float64 else root.float().double()  # as rounded as numpy's own root

    def _below(self, x: Tensor) -> Tensor:
        """What the linear layers stand on."""
        if self._has("landmarks"):
            return (-self._get("gamma") * expanded(x, self._get("landmarks"))).exp()
        if self._has("context"):
            read = embedded if self._has(EMBEDS) else answered
            return read(x, *(self._get(name) for name in CONTEXT))
        return self._grown(x, self._get("trees")) if self._has("trees") else x

    def _linear(self, layer: int, x: Tensor) -> Tensor:
        if not self.learns:
            return x @ self._get(f"weight.{layer}") + self._get(f"bias.{layer}")
        if self.hidden is not None and layer == 0:
            return cast(Tensor, self.hidden(x))
        return cast(Tensor, self.linear(self.dropout(x)))

    def _grown(self, x: Tensor, trees: Tensor) -> Tensor:
        """As `heads.layers.grown`; every row goes as many steps as the deepest leaf needs, and waits in its own."""
        x = x.float().double()
        feature, threshold, left, right, value = trees.reshape(-1, _NODE).unbind(1)
        count, nodes = self.shape
        first = torch.arange(count, device=x.device) * nodes
        first = place = torch.zeros_like(x[:, :1], dtype=torch.int64) + first
        for _ in range(self.depth):
            columns = feature[place].long()
            low = x.gather(1, columns.clamp_min(0)) <= threshold[place]
            place = torch.where(columns < 0, place, first + torch.where(low, left[place], right[place]).long())
        return value[place].reshape(-1, count // self.functions, self.functions).sum(1)

    def _has(self, name: str) -> bool:
        return _buffer(name) in self._buffers

    def _get(self, name: str) -> Tensor:
        return cast(Tensor, self._buffers[_buffer(name)])

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """A frozen head goes to another device, and never to another precision."""
        if self.learns:
            return cast(Self, cast(Any, super())._apply(fn, recurse))
        device = fn(torch.zeros(0)).device
        return cast(Self, cast(Any, super())._apply(lambda tensor: tensor.to(device), recurse))


def signed_root(features: Tensor, least: Tensor) -> Tensor:
    """sign(x) sqrt(|x|), see `heads.head.shaped`. Its slope, 1 / (2 sqrt(|x|)), is endless at 0; it is cut off where
    the root is less than `least`, so that a channel that is silent can wake up without a leap."""
    root = features.detach().abs().sqrt()
    slope = 0.5 / root.clamp_min(least)
    return root.copysign(features.detach()) + slope * (features - features.detach())


def _standardisation(mean: Array, scale: Array) -> dict[str, Tensor]:
    """Copies in float32."""
    return {
        "mean": torch.from_numpy(np.array(mean, np.float32)),
        "scale": torch.from_numpy(np.array(scale, np.float32)),
    }


def _buffer(name: str) -> str:
    return name.replace(".", "_")


def _blocks(features: Array) -> list[Any]:
    starts = range(0, max(1, len(features)), _BLOCK)
    return [np.array(features[start : start + _BLOCK]) for start in starts]


def _check(tensors: Mapping[str, Tensor], form: str, temperature: float) -> None:
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
    if "context" in tensors and (why := misread({name: tensor.numpy() for name, tensor in tensors.items()})):
        raise ValueError(f"the context cannot be read: {why}")
    if "trees" in tensors and (not len(tensors["weight.0"]) or len(tensors["trees"]) % len(tensors["weight.0"])):
        raise ValueError(
            f"{len(tensors['trees'])} trees for {len(tensors['weight.0'])} functions: expected as many for each"
        )


def _last(tensors: Mapping[str, Tensor]) -> int:
    """The number of the last layer."""
    return max(1, sum(name.startswith("weight.") for name in tensors)) - 1
