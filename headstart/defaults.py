"""What torch goes by where nothing else is said is global, and other libraries leave it changed: ours is float32.

`own_defaults` holds while headstart calculates: the default type of floats is float32, new tensors are on the CPU, and
gradients are taken. Everything is put back as it was. Code of other libraries (timm, transformers, peft) builds
networks by these defaults, so that naming the type in our own lines alone would not do. Where another thread makes
tensors by a changed default at the same time it sees float32 meanwhile; where the default is float32, as it mostly is,
nothing is set.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import wraps
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    import torch

__all__ = ["own_defaults", "with_own_defaults"]

P = ParamSpec("P")
R = TypeVar("R")

_lock = RLock()
_depth = 0
_before: torch.dtype | None = None
"""The default type of floats that is put back; None where it was float32."""


class own_defaults(AbstractContextManager[None]):
    """A context in which torch goes by our defaults; may be nested, and entered by several threads at once."""

    def __enter__(self) -> None:
        global _depth, _before
        self._stack, self._counted = ExitStack(), "torch" in sys.modules
        if not self._counted:  # what is loaded from here on goes by torch's own defaults, which are ours
            return
        import torch

        with _lock:
            outermost = _depth == 0
            if outermost and (default := torch.get_default_dtype()) != torch.float32:
                _before = default
                torch.set_default_dtype(torch.float32)
            _depth += 1
        if outermost and not torch.is_grad_enabled() and not torch.is_inference_mode_enabled():
            self._stack.enter_context(torch.enable_grad())
        if torch.get_default_device().type != "cpu":
            self._stack.enter_context(torch.device("cpu"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        global _depth, _before
        self._stack.close()
        if not self._counted:
            return
        import torch

        with _lock:
            _depth -= 1
            if _depth == 0 and _before is not None:
                torch.set_default_dtype(_before)
                _before = None


def with_own_defaults(function: Callable[P, R]) -> Callable[P, R]:
    """The function, run by our defaults."""

    @wraps(function)
    def run(*args: P.args, **options: P.kwargs) -> R:
        with own_defaults():
            return function(*args, **options)

    return run
