"""Operators of torch that its exporter has no translation for, in those of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["translations"]


def translations() -> dict[Any, Callable[..., Any]]:
    """By the operator of torch, the function of ONNX values that stands for it."""
    return {torch.ops.aten.searchsorted.Tensor: _searchsorted}


def _searchsorted(
    sorted_sequence: Any,
    values: Any,
    out_int32: bool = False,
    right: bool = False,
    side: Any = None,
    sorter: Any = None,
) -> Any:
    """How many of the sorted numbers (..., L) are below each value (..., M), or with `right` not above it."""
    from onnxscript import opset18 as op

    numbers, asked = (
        op.Unsqueeze(sorted_sequence, op.Constant(value_ints=[-2])),
        op.Unsqueeze(values, op.Constant(value_ints=[-1])),
    )
    counted = op.LessOrEqual(numbers, asked) if right else op.Less(numbers, asked)
    return op.ReduceSum(op.Cast(counted, to=7), op.Constant(value_ints=[-1]), keepdims=0)
