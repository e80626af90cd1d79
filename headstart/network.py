"""A network: a copy of a backbone with a head on it, its stages in order, and what of it moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.data.task import Array, Kind
from headstart.heads.head import Form, Head

__all__ = ["HEAD", "Network", "TunedHead"]

HEAD = "head"


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

    def exported(self, kind: Kind, *, temperature: float, config: dict[str, Any]) -> Head:
        """As plain arrays, for the artefact."""
        arrays = {
            "mean": self.mean.double().numpy().copy(),
            "scale": self.scale.double().numpy().copy(),
        }
        for number, layer in enumerate(filter(None, (self.hidden, self.linear))):
            arrays[f"weight.{number}"] = layer.weight.detach().numpy().T.copy()
            arrays[f"bias.{number}"] = layer.bias.detach().double().numpy().copy()
        name = "linear" if self.hidden is None else "neural"
        return Head(name=name, kind=kind, arrays=arrays, temperature=temperature, form=self.form, config=config)


def signed_root(features: Tensor, least: Tensor) -> Tensor:
    """sign(x) sqrt(|x|), see `heads.head.shaped`. Its slope, 1 / (2 sqrt(|x|)), is endless at 0; it is cut off where
    the root is less than `least`, so that a channel that is silent can wake up without a leap."""
    root = features.detach().abs().sqrt()
    slope = 0.5 / root.clamp_min(least)
    return root.copysign(features.detach()) + slope * (features - features.detach())


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

    def modules_of(self, name: str) -> list[str]:
        """The modules that a stage of the backbone consists of, by their names below the backbone."""
        return [p.removeprefix("backbone.")[:-1] for p in self._prefixes[name] if p.endswith(".") and p != "backbone."]

    def top(self, count: int) -> tuple[str, ...]:
        """The names of the last `count` stages of the backbone and of the head."""
        body = self.stages[:-1]
        if not 0 <= count <= len(body):
            raise ValueError(f"{count} stages were asked for; this backbone has {len(body)}: {', '.join(body)}")
        return self.stages[len(body) - count :]

    @contextmanager
    def asked(self) -> Iterator[None]:
        """In eval mode, as in prediction; afterwards each module is in the mode it was in."""
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode

    def open(self, stages: Iterable[str], only: Callable[[str], bool] | None = None) -> dict[str, list[nn.Parameter]]:
        """Let these stages learn, and nothing else; their parameters by stage, from the input to the output.

        only   which of the backbone's parameters, by name; all where it is None. The head always learns whole

        A module is in train mode only if everything in it learns: the running statistics of a frozen BatchNorm stay.
        """
        wanted = [name for name in self.stages if name in set(stages)]
        moving = {
            name: [value for key, value in self.stage(name).items() if name == HEAD or only is None or only(key)]
            for name in wanted
        }
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
