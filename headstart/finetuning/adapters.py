"""Adapters of the library peft on a network: put in, trained, and merged into the weights that they stand beside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from headstart.network import HEAD, Network

__all__ = ["adapted", "places"]

_TAKES = ("Linear", "Conv2d", "Conv2dSame", "Conv1D")
"""Layers that use their weights as they are, by their class; Conv1D is GPT-2's transposed matrix. What is merged into
weights that are standardised first, as in BiT and NFNet, is another network."""


def places(network: Network, stages: tuple[str, ...]) -> list[str]:
    """The layers of these stages that take an adapter, by their names below the backbone: matrices and convolutions
    that see all channels (a depthwise filter has nothing of low rank to add)."""
    within = {name.rpartition(".")[0] for stage in stages if stage != HEAD for name in network.stage(stage)}
    layers = [
        name
        for name, module in network.backbone.named_modules()
        if f"backbone.{name}" in within and _takes_adapter(module)
    ]
    if not layers:
        raise ValueError(f"no layer of {', '.join(stages)} takes an adapter: use method 'top' or 'fine-tune'")
    return layers


def _takes_adapter(module: nn.Module) -> bool:
    return type(module).__name__ in _TAKES and not (isinstance(module, nn.Conv2d) and module.groups > 1)


@contextmanager
def adapted(network: Network, kind: str, layers: list[str], **options: Any) -> Iterator[None]:
    """The backbone with peft's adapters of this kind ("Lora" or "IA3") in these layers; at the end they are merged.

    At the beginning the network computes what it did before.
    """
    try:
        import peft
        from peft import tuners
    except ImportError as error:
        raise ImportError(f"adapters need peft ({error}): pip install 'headstart[peft]'") from error
    transposed = any(type(network.backbone.get_submodule(name)).__name__ == "Conv1D" for name in layers)
    exactly = "|".join(map(re.escape, layers))  # a list would also match what only ends so
    config = getattr(peft, f"{kind}Config")(target_modules=exactly, fan_in_fan_out=transposed, **options)
    model = getattr(tuners, f"{kind}Model")(network.backbone, config, "default")
    network.backbone.requires_grad_(False)
    yield
    network.backbone = model.merge_and_unload()
