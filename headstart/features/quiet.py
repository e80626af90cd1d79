"""Third-party warnings that say nothing to the user are kept quiet while headstart works, and only then."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

__all__ = ["quiet"]

_SILENT = r"(PIL|torch|torchvision|timm|transformers|openvino|headstart\.backbones)(\.|$)"
_lock = Lock()
_open: list[warnings.catch_warnings[Any]] = []
_depth = 0


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings from Pillow's readers and from tracing a network, in any thread, until the last one leaves.

    `warnings.catch_warnings` is not safe in threads that enter and leave it crosswise; this counts who is inside.
    """
    global _depth
    with _lock:
        if _depth == 0:
            context = warnings.catch_warnings()
            context.__enter__()
            _open.append(context)
            warnings.filterwarnings("ignore", module=_SILENT)
            warnings.filterwarnings("ignore", message=r".*torch\.jit")
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _open.pop().__exit__(None, None, None)
