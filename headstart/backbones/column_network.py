"""Layers on the numbers that an encoder makes of the columns of a table: linear and ReLU, as in SCARF's appendix."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

__all__ = ["ColumnNetwork", "build"]


class ColumnNetwork(nn.Module):
    """(N, inputs) -> (N, width)."""

    def __init__(self, inputs: int, width: int, depth: int) -> None:
        super().__init__()
        self.inputs = inputs
        sizes = [inputs, *[width] * (depth - 1)]
        self.layers = nn.Sequential(*(nn.Sequential(nn.Linear(size, width), nn.ReLU()) for size in sizes))

    def forward(self, columns: Tensor) -> Tensor:
        features: Tensor = self.layers(columns)
        return features


def build(spec: dict[str, Any]) -> nn.Module:
    """Of {"hub": "columns", "inputs", "width", "depth"}."""
    return ColumnNetwork(spec["inputs"], spec["width"], spec["depth"])
