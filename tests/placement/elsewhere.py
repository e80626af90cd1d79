"""A CUDA device that is not there: tensors that say they are on it, calculated on the CPU.

What a CUDA build of torch refuses is refused here: an operation on tensors of both devices (numbers of no dimension
excepted), and numpy for a tensor that was not brought to the CPU first. So it shows whether each module, batch, target,
mask, average and helper goes where `device` says, on a machine without one. Speed, precision and memory it does not show.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

CUDA, CPU = torch.device("cuda", 0), torch.device("cpu")


class Elsewhere(Tensor):
    """Numbers on the CPU that say they are on the device."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> Elsewhere:
        wrapper = Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            layout=inner.layout,
            device=CUDA,
            requires_grad=inner.requires_grad,
        )
        wrapper.inner = inner
        return wrapper

    def __repr__(self, **options: Any) -> str:
        return f"Elsewhere({self.inner!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copy = Elsewhere(self.inner.detach().clone())
        if isinstance(self, torch.nn.Parameter):
            copy = torch.nn.Parameter(copy, self.requires_grad)
        else:
            copy.requires_grad_(self.requires_grad)
        memo[id(self)] = copy
        return copy

    def numpy(self, **options: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy it first")

    def tolist(self) -> Any:
        return self.inner.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return dispatched(func, args, kwargs or {})


def dispatched(func: Any, args: Any, kwargs: Any) -> Any:
    """The operation on what is inside; its outputs are where its inputs are, or where it is told to put them."""
    seen: set[bool] = set()

    def unwrapped(value: Any) -> Any:
        if isinstance(value, Elsewhere):
            seen.add(True)
            return value.inner
        if isinstance(value, Tensor):
            if value.dim() or func in COPIES:
                seen.add(False)
        elif isinstance(value, torch.device) and value.type == "cuda":
            return CPU
        return value

    place = kwargs.get("device")
    inner_args, inner_kwargs = tree_map(unwrapped, args), tree_map(unwrapped, kwargs)
    inner_kwargs.pop("pin_memory", None)
    if len(seen) == 2 and func not in COPIES:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! ({func})"
        )
    away = place is not None and torch.device(place).type == "cuda" if place is not None else True in seen
    if func in COPIES and isinstance(args[0], Tensor):
        away = isinstance(args[0], Elsewhere)
    out = func(*inner_args, **inner_kwargs)
    if func._schema.is_mutable and isinstance(args[0], Elsewhere) and out is args[0].inner:
        return args[0]
    if not away:
        return out
    return tree_map(lambda value: Elsewhere(value) if isinstance(value, Tensor) else value, out)


COPIES = (torch.ops.aten.copy_.default,)


class Device(TorchDispatchMode):
    """Where new tensors are asked for on the device, they are put there."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return dispatched(func, args, kwargs or {})


@contextmanager
def pretended() -> Iterator[None]:
    """Within it torch says that it has one CUDA device."""
    with ExitStack() as stack:
        for name, value in {
            "is_available": lambda: True,
            "device_count": lambda: 1,
            "empty_cache": lambda: None,
            "is_initialized": lambda: False,
            "_lazy_init": lambda: None,
            "synchronize": lambda *args: None,
        }.items():
            stack.enter_context(patch.object(torch.cuda, name, value))
        stack.enter_context(patch.object(Tensor, "pin_memory", lambda self, *args: self))
        stack.enter_context(Device())
        yield
