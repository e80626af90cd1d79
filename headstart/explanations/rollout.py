"""Attention roll-out (Abnar and Zuidema, 2020): from where the tokens of a vision transformer gather what they hold.

    A~_l = (mean over heads of A_l + I) / 2,      R = A~_L ... A~_2 A~_1

with A_l (T, T) the attention of layer l, whose rows add up to 1. The map is the row of R of the token that the features
are read from: the class token, or the mean over the places. It follows attention alone, and so is the same for every
class, and for every head that may stand on the network: the check with random weights tells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from headstart.backbones.layers import tokens_of_whole
from headstart.explanations.network import Network
from headstart.linalg.torch_threads import one_torch_thread
from headstart.tasks.task import Array

__all__ = ["SAME_FOR_ALL", "Attentions", "attention_rollout", "attentions_of", "rolled_out"]

SAME_FOR_ALL = "attention roll-out is the same for every class: it follows attention, and does not look at the head"


class Attentions(TorchFunctionMode):
    """While it is entered, every scaled dot-product attention is kept: `layers`, (N, heads, T, T) each."""

    def __init__(self) -> None:
        super().__init__()
        self.layers: list[Tensor] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is functional.scaled_dot_product_attention:
            self.layers.append(attention(*args[:2], **_known(args, kwargs)))
        return func(*args, **kwargs)


def attention(query: Tensor, key: Tensor, mask: Tensor | None = None, scale: float | None = None) -> Tensor:
    """softmax(scale Q K' + mask), (N, heads, T, S)."""
    scores = query @ key.transpose(-2, -1) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(-1)


def _known(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    return {"mask": args[3] if len(args) > 3 else kwargs.get("attn_mask"), "scale": kwargs.get("scale")}


def attentions_of(network: Network, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """(T, T) of each layer, the mean over its heads; none where layers do not look at the same tokens each."""
    with one_torch_thread(), torch.no_grad(), Attentions() as kept:
        network.backbone(*inputs)
    layers = [layer for layer in kept.layers if layer.ndim == 4 and len(layer) == 1]
    sizes = {tuple(layer.shape[-2:]) for layer in layers}
    if len(layers) < len(kept.layers) or len(sizes) != 1 or len(set(next(iter(sizes)))) != 1:
        return ()
    return tuple(layer[0].mean(0).double() for layer in layers)


def rolled_out(layers: tuple[Tensor, ...]) -> Tensor:
    """R (T, T), see above."""
    size = len(layers[0])
    R = torch.eye(size, dtype=torch.float64)
    for A in layers:
        R = (A + torch.eye(size, dtype=torch.float64)) / 2 @ R
    return R


def attention_rollout(network: Network, inputs: tuple[Tensor, ...]) -> Array | None:
    """(rows, columns) of places of one picture; None for a network whose tokens are not those of a grid."""
    layers = attentions_of(network, inputs)
    if not layers:
        return None
    module = getattr(network.backbone, "network", network.backbone)
    whole = tokens_of_whole(module)
    grid = _grid(len(layers[0]) - whole, inputs[0].shape[2:])
    if grid is None:
        return None
    R = rolled_out(layers)
    row = R[whole:].mean(0) if not whole or _averages(network.backbone) else R[0]
    return np.asarray(row[whole:].reshape(grid).numpy())


def _averages(module: nn.Module) -> bool:
    """Whether features are the mean over places, though there is a token for the whole."""
    pools = [getattr(part, "pool", getattr(part, "global_pool", "")) for part in (module,)]
    reads = [read.pool for read in getattr(module, "reads", ())]
    return any(pool in ("mean", "avg") for pool in [*pools, *reads])


def _grid(places: int, size: Any) -> tuple[int, int] | None:
    """Rows and columns in the shape of the picture."""
    height, width = (int(side) for side in size)
    for rows in range(1, places + 1):
        if places % rows == 0 and rows * width == (places // rows) * height:
            return rows, places // rows
    return None
