"""A network: a copy of a backbone with a head on it, its stages in order, and what of it moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy

from torch import Tensor, nn

from headstart.backbones.backbone import Backbone

__all__ = ["HEAD", "Network"]

HEAD = "head"


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
    weights = [id(parameter) for parameter in module.parameters()]
    if weights and learning.issuperset(weights):
        module.train()
    elif not learning.intersection(weights):
        module.eval()
    else:
        module.training = False
        for child in module.children():
            _set_modes(child, learning)
