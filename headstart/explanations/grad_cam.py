"""Grad-CAM (Selvaraju et al., 2017): where the last maps of a convolutional network speak for a class.

    w_k = mean over places of df / dA_k,      map = sum_k w_k A_k         (the paper's ReLU is left to who draws it)

with A_k (H, W) the maps of the last stage and f what is explained. Signs are kept, so that what speaks against the
class is told too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbones.layers import first_tensor, is_channels_last
from headstart.explanations.network import Network
from headstart.explanations.question import Question
from headstart.linalg.torch_threads import one_torch_thread
from headstart.tasks.task import Array

__all__ = ["grad_cam", "last_maps"]


def grad_cam(network: Network, question: Question, inputs: tuple[Tensor, ...]) -> Array:
    """(H, W) of one input, as coarse as the last maps are. ValueError for a network that has none."""
    with one_torch_thread(), torch.enable_grad():
        asked = tuple(tensor.clone().requires_grad_() if tensor.is_floating_point() else tensor for tensor in inputs)
        with _maps(network.backbone) as maps:
            score = question.of_logits(network.logits(*asked)).sum()
        if not maps:
            raise ValueError("Grad-CAM needs a convolutional network: no layer of this one puts out maps (N, K, H, W)")
        [slope] = torch.autograd.grad(score, maps[-1])
    A, dA = (_channels_first(tensor.detach(), network.backbone) for tensor in (maps[-1], slope))
    w = dA.mean((2, 3), keepdim=True)
    return np.asarray((w * A).sum(1)[0].double().numpy())


def last_maps(network: Network, inputs: tuple[Tensor, ...]) -> bool:
    """Whether a layer puts out maps of more than one place."""
    with one_torch_thread(), torch.no_grad(), _maps(network.backbone) as maps:
        network.backbone(*inputs)
    return bool(maps)


@contextmanager
def _maps(module: nn.Module) -> Iterator[list[Tensor]]:
    """The last output of a pass that is maps, alone in a list; an empty one where there is none."""
    outputs: list[Tensor] = []
    last = is_channels_last(getattr(module, "network", module))
    handles = [part.register_forward_hook(partial(_take, outputs, last)) for part in module.modules()]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def _take(outputs: list[Tensor], last: bool, module: nn.Module, args: Any, output: Any) -> None:
    tensor = first_tensor(output)
    if tensor is not None and tensor.ndim == 3:  # tokens: the maps before them are but the patches of a transformer
        outputs.clear()
    if tensor is not None and tensor.ndim == 4 and min(tensor.shape[1:3] if last else tensor.shape[2:]) > 1:
        outputs[:] = [tensor]


def _channels_first(maps: Tensor, module: nn.Module) -> Tensor:
    return maps.permute(0, 3, 1, 2) if is_channels_last(getattr(module, "network", module)) else maps
