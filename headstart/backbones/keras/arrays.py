"""Where the arrays of a layer of Keras go: from its kernels and scales to tensors by name in the module of torch.

convolution   kernel (H, W, C, F) -> (F, C, H, W)
depthwise     kernel (H, W, C, M) -> (C M, 1, H, W)
dense         kernel (D, F) -> (F, D)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.tasks.task import Array

__all__ = [
    "batch_norm",
    "convolution",
    "dense",
    "layer_norm",
    "layer_scale",
    "normalization",
    "separable",
    "tensors_of",
]


def _ordinary(kernel: Array) -> Array:
    return kernel.transpose(3, 2, 0, 1)


def _by_depth(kernel: Array) -> Array:
    height, width, channels, multiplier = kernel.shape
    return kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)


def convolution(depthwise: bool) -> Callable[[dict[str, Any], Sequence[Array]], dict[str, Array]]:
    def weights(options: dict[str, Any], arrays: Sequence[Array]) -> dict[str, Array]:
        names = ["conv.weight", "conv.bias"] if options["bias"] else ["conv.weight"]
        kernel, *bias = arrays
        return dict(zip(names, [_by_depth(kernel) if depthwise else _ordinary(kernel), *bias], strict=True))

    return weights


def separable(options: dict[str, Any], arrays: Sequence[Array]) -> dict[str, Array]:
    names = ["conv.weight", "pointwise.weight", *(["pointwise.bias"] if options["bias"] else [])]
    depthwise, pointwise, *bias = arrays
    return dict(zip(names, [_by_depth(depthwise), _ordinary(pointwise), *bias], strict=True))


def dense(options: dict[str, Any], arrays: Sequence[Array]) -> dict[str, Array]:
    kernel, *bias = arrays
    names = ["layer.weight", "layer.bias"] if options["bias"] else ["layer.weight"]
    return dict(zip(names, [kernel.T, *bias], strict=True))


def _gammas(options: dict[str, Any], arrays: Sequence[Array], prefix: str) -> dict[str, Array]:
    """The scale and the shift, where a layer has them: without they are 1 and 0."""
    names = [name for name in ("scale", "center") if options[name]]
    given = dict(zip(names, arrays, strict=True))
    size = options["channels"]
    return {
        f"{prefix}weight": given.get("scale", np.ones(size, np.float32)),
        f"{prefix}bias": given.get("center", np.zeros(size, np.float32)),
    }


def batch_norm(options: dict[str, Any], arrays: Sequence[Array]) -> dict[str, Array]:
    *own, mean, variance = arrays
    tensors = {**_gammas(options, own, ""), "running_mean": mean, "running_var": variance}
    return {**tensors, "num_batches_tracked": np.zeros((), np.int64)}


def normalization(options: dict[str, Any], arrays: Sequence[Array]) -> dict[str, Array]:
    if "mean" in options and not arrays:
        arrays = [np.asarray(options[key], np.float32) for key in ("mean", "variance")]
    mean, variance, *_ = arrays
    wide = np.ones(options["channels"], np.float32)
    return {"mean": np.ravel(mean) * wide, "variance": np.ravel(variance) * wide}


def layer_scale(options: dict[str, Any], arrays: Sequence[Array]) -> dict[str, Array]:
    (gamma,) = arrays
    return {"gamma": gamma}


def tensors_of(arrays: dict[str, Array]) -> dict[str, Tensor]:
    """As torch keeps them."""
    return {name: torch.from_numpy(np.array(array, order="C")) for name, array in arrays.items()}


def layer_norm(options: dict[str, Any], arrays: Sequence[Array]) -> dict[str, Array]:
    return _gammas(options, arrays, "layer.")
