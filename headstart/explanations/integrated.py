"""Integrated gradients (Sundararajan, Taly and Yan, 2017), by Captum.

    a_i = (x_i - x'_i) * integral over t in [0, 1] of   df/dx_i (x' + t (x - x'))        sum_i a_i = f(x) - f(x')

along the straight way from a baseline x' that says nothing to the input x. The sum is checked (`Attribution.gap`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.linalg.torch_threads import one_torch_thread
from headstart.tasks.task import Array

__all__ = ["MISSING", "STEPS", "captum_attr", "integrated_gradients"]

MISSING = "integrated gradients need captum: pip install 'headstart[explain]'"
STEPS = 32
_AT_A_TIME = 4


def integrated_gradients(
    function: Callable[[Tensor], Tensor], x: Tensor, baseline: Tensor, *, steps: int = STEPS
) -> tuple[Array, float, float]:
    """Attributions in the shape of x without its first axis, f(x') and f(x), of one input x (1, ...).

    function   (N, ...) -> (N,)
    steps      of a Gauss-Legendre rule, exact for slopes that are polynomials of degree 2 steps - 1
    """
    attr = captum_attr()
    with one_torch_thread(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Input Tensor .* did not already require gradients")
        attributions = attr.IntegratedGradients(function, multiply_by_inputs=True).attribute(
            x, baseline, n_steps=steps, method="gausslegendre", internal_batch_size=_AT_A_TIME
        )
        with torch.no_grad():
            ends = [float(function(point)[0]) for point in (baseline, x)]
    return np.asarray(attributions[0].detach().double().numpy()), ends[0], ends[1]


def captum_attr() -> Any:
    """Captum's module of attributions. ImportError names the extra that brings it."""
    try:
        from captum import attr
    except ImportError as error:
        raise ImportError(MISSING) from error
    return attr
