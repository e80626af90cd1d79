"""The same bits each time on a GPU, as far as torch has algorithms for that; where it has none, it is told.

On the CPU everything is deterministic. On a GPU many sums are made in the order in which threads happen to end. torch
has other algorithms for most operations, and warns of those that have only that one.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TextIO

import torch

__all__ = ["deterministic"]

_WARNING = re.compile(r"(?s)(?P<name>.*?)(?: does not have a deterministic| defaults to a non-deterministic|: )")
_MENTIONS = r"(?s).*determinis(m|tic)"


@contextmanager
def deterministic(device: torch.device, tell: Callable[[str], None]) -> Iterator[None]:
    """Within it a GPU calculates by deterministic algorithms; `tell` hears of what has none, once each. Nothing changes
    where the device is the CPU, nor for who has asked torch for them before."""
    if device.type == "cpu" or torch.are_deterministic_algorithms_enabled():
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without which cuBLAS is not, see its documentation
    with ExitStack() as stack:
        stack.enter_context(_heard(_Told(device, tell)))
        for settings, name, value in (
            (torch.backends.cudnn, "benchmark", False),  # which measures anew in each process what is fastest
            (torch.utils.deterministic, "fill_uninitialized_memory", False),  # no result of ours depends on it
        ):
            stack.callback(setattr, settings, name, getattr(settings, name))
            setattr(settings, name, value)
        stack.callback(torch.use_deterministic_algorithms, False)
        torch.use_deterministic_algorithms(True, warn_only=True)
        yield


class _Told:
    """What torch warns of becomes a note, once for each operation."""

    def __init__(self, device: torch.device, tell: Callable[[str], None]) -> None:
        self._device, self._tell = device, tell
        self._names: set[str] = set()

    def __call__(self, message: str) -> None:
        match = _WARNING.match(message)
        name = "a matrix product" if "CuBLAS" in message else match["name"].strip() if match else "an operation"
        if name not in self._names:
            self._names.add(name)
            self._tell(
                f"{name} has no deterministic form on {self._device}: a second training, or one that goes on after it "
                "was killed, may differ in the last bits"
            )


@contextmanager
def _heard(hear: Callable[[str], None]) -> Iterator[None]:
    """Warnings that speak of determinism go there, all others where they went before."""
    with warnings.catch_warnings():
        warnings.filterwarnings("always", message=_MENTIONS)
        shown = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if re.match(_MENTIONS, str(message)):
                hear(str(message))
            else:
                shown(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield
