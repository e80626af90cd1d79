"""What a network says of who may run it, and on what; a network that holds another says what that says."""

from __future__ import annotations

from torch import nn

from headstart.backbones.sound.encoder import SoundEncoder

__all__ = ["takes_exact_inputs", "torch_only"]


def torch_only(module: nn.Module | None) -> str:
    """Why no engine but torch can run it; "" where others can."""
    encoder = _encoder(module)
    return "" if encoder is None else encoder.torch_only


def takes_exact_inputs(module: nn.Module) -> bool:
    """Whether its inputs stay in float32 where it calculates in bfloat16."""
    return _encoder(module) is not None


def _encoder(module: nn.Module | None) -> SoundEncoder | None:
    parts = () if module is None else module.modules()
    return next((part for part in parts if isinstance(part, SoundEncoder)), None)
