"""A network: a copy of a backbone with a head on it, its stages in order, and what of it moves."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.data.task import Array, Kind
from headstart.heads.head import Head

__all__ = ["HEAD", "Network", "TunedHead"]

HEAD = "head"


class TunedHead(nn.Module):
    """The last layer: logits = W ((x - mean) / scale) + b, where only W and b can learn. (N, D) -> (N, C)."""

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Array, scale: Array, outputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(np.array(mean, np.float32)))
        self.register_buffer("scale", torch.from_numpy(np.array(scale, np.float32)))
        self.linear = nn.Linear(len(mean), outputs)
        nn.init.zeros_(self.linear.bias)
        nn.init.zeros_(self.linear.weight)

    @classmethod
    def like(cls, head: Head) -> TunedHead:
        """The same function as a fitted linear head, at its temperature."""
        if "weight.1" in head.arrays or head.form != "plain":
            raise ValueError(
                f"the {head.name} head on {head.form} features is not linear in them: use ridge or logistic"
            )
        made = cls(head.arrays["mean"], head.arrays["scale"], head.arrays["weight.0"].shape[1])
        with torch.no_grad():
            made.linear.weight.copy_(torch.from_numpy(head.arrays["weight.0"].T / head.temperature))
            made.linear.bias.copy_(torch.from_numpy(head.arrays["bias.0"] / head.temperature))
        return made

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.linear((features - self.mean) / self.scale)
        return logits

    def exported(self, kind: Kind, *, temperature: float, config: dict[str, Any]) -> Head:
        """As plain arrays, for the artefact."""
        arrays = {
            "mean": self.mean.double().numpy().copy(),
            "scale": self.scale.double().numpy().copy(),
            "weight.0": self.linear.weight.detach().numpy().T.copy(),
            "bias.0": self.linear.bias.detach().double().numpy().copy(),
        }
        return Head(name="linear", kind=kind, arrays=arrays, temperature=temperature, config=config)


class Network(nn.Module):
    """head(backbone(inputs)). The backbone is a copy, so that the one it was made from stays as it is.

    stages   names from the input to the output, the head last
    """

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__()
        if backbone.module is None:
            raise ValueError(
                f"{backbone.name} has no weights that could move: the features of a {backbone.modality} are its "
                "columns themselves; use method 'probe'"
            )
        self.backbone = deepcopy(backbone.module)
        self.head = head
        self._prefixes = {name: tuple(f"backbone.{p}" for p in prefixes) for name, prefixes in backbone.stages}
        self._prefixes[HEAD] = ("head.",)
        self.stages = tuple(self._prefixes)
        self.requires_grad_(False).eval()

    def forward(self, *inputs: Tensor) -> Tensor:
        """Logits (N, C)."""
        logits: Tensor = self.head(self.backbone(*inputs))
        return logits

    def stage(self, name: str) -> dict[str, nn.Parameter]:
        """The parameters of a stage by name."""
        return {key: value for key, value in self.named_parameters() if key.startswith(self._prefixes[name])}

    def top(self, count: int) -> tuple[str, ...]:
        """The names of the last `count` stages of the backbone and of the head."""
        body = self.stages[:-1]
        if not 0 <= count <= len(body):
            raise ValueError(f"{count} stages were asked for; this backbone has {len(body)}: {', '.join(body)}")
        return self.stages[len(body) - count :]

    def open(self, stages: Iterable[str]) -> dict[str, list[nn.Parameter]]:
        """Let these stages learn, and nothing else; their parameters by stage, from the input to the output.

        A module is in train mode only if everything in it learns: the running statistics of a frozen BatchNorm stay.
        """
        wanted = [name for name in self.stages if name in set(stages)]
        moving = {name: list(self.stage(name).values()) for name in wanted}
        learning = {id(weights) for group in moving.values() for weights in group}
        for weights in self.parameters():
            weights.requires_grad_(id(weights) in learning)
        _set_modes(self, learning)
        return {name: group for name, group in moving.items() if group}


def _set_modes(module: nn.Module, learning: set[int]) -> None:
    weights = [id(one) for one in module.parameters()]
    if weights and learning.issuperset(weights):
        module.train()
    elif not learning.intersection(weights):
        module.eval()
    else:
        module.training = False
        for child in module.children():
            _set_modes(child, learning)
