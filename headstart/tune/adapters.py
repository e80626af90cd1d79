"""Adapters of the library peft on a network: put in, trained, and merged into the weights that they stand beside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from headstart.network import HEAD, Network

__all__ = ["adapted", "places"]


def places(network: Network, stages: tuple[str, ...]) -> list[str]:
    """The layers of these stages that take an adapter, by their names below the backbone: matrices and convolutions
    that see all channels (a depthwise filter has nothing of low rank to add)."""
    within = {name.rpartition(".")[0] for stage in stages if stage != HEAD for name in network.stage(stage)}
    found = [
        name
        for name, module in network.backbone.named_modules()
        if f"backbone.{name}" in within and _takes_adapter(module)
    ]
    if not found:
        raise ValueError(f"no layer of {', '.join(stages)} takes an adapter: use method 'top' or 'fine-tune'")
    return found


def _takes_adapter(module: nn.Module) -> bool:
    if isinstance(module, nn.Conv2d):
        return module.groups == 1
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"  # GPT-2's transposed matrix


@contextmanager
def adapted(network: Network, kind: str, **options: Any) -> Iterator[None]:
    """The backbone with peft's adapters of this kind in it ("Lora" or "IA3"); at the end they are merged.

    At the beginning the network computes what it did before.
    """
    try:
        import peft
        from peft import tuners
    except ImportError as error:
        raise ImportError(f"adapters need peft ({error}): pip install 'headstart[peft]'") from error
    if kind == "Lora":
        kinds = {type(network.backbone.get_submodule(name)).__name__ for name in options["target_modules"]}
        options["fan_in_fan_out"] = "Conv1D" in kinds
    config = getattr(peft, f"{kind}Config")(**options)
    model = getattr(tuners, f"{kind}Model")(network.backbone, config, "default")
    network.backbone.requires_grad_(False)
    yield
    network.backbone = model.merge_and_unload()
