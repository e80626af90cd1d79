"""The head of a fitted model as a module, so that the model can answer as any pretrained classifier does."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["FORMS", "StoredHead"]

FORMS = ("plain", "root")


class StoredHead(nn.Module):
    """logits = W_k relu(... relu(W_1 ((x - mean) / scale) + b_1)) + b_k, over the temperature: (N, D) -> (N, C).

    tensors   "mean" (D,), "scale" (D,), "weight.0" (D, H), "bias.0" (H,), "weight.1" ...: as the model keeps them
    form      "plain": x is the features; "root": x = sign(features) sqrt(|features|)

    `KeyError` where one is missing; `RuntimeError` where two do not fit; `ValueError` for a temperature not above 0.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, tensors: dict[str, Tensor], form: str, temperature: float) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f"temperature = {temperature}: expected a number above 0")
        self.form = form
        self.register_buffer("mean", tensors["mean"])
        self.register_buffer("scale", tensors["scale"])
        count = sum(name.startswith("weight.") for name in tensors) or 1
        layers = [_linear(tensors[f"weight.{k}"], tensors[f"bias.{k}"]) for k in range(count)]
        with torch.no_grad():
            for values in layers[-1].parameters():
                values.div_(temperature)
        self.layers = nn.ModuleList(layers)

    def forward(self, features: Tensor) -> Tensor:
        x = features.sign() * features.abs().sqrt() if self.form == "root" else features
        x = (x - self.mean) / self.scale
        for index, layer in enumerate(self.layers):
            x = layer(x.relu() if index else x)
        return x


def _linear(weight: Any, bias: Any) -> nn.Linear:
    layer = nn.Linear(weight.shape[0], weight.shape[1], dtype=torch.float64)
    layer.load_state_dict({"weight": weight.T, "bias": bias})
    return layer
