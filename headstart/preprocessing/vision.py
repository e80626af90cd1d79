"""torchvision, imported with the first picture: with it comes torch's compiler, which takes a second and a half that
texts and tables need not wait."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import NamedTuple

__all__ = ["vision"]


class Vision(NamedTuple):
    """torchvision's `transforms.v2.functional` and `io`."""

    functional: ModuleType
    io: ModuleType


@cache
def vision() -> Vision:
    """The parts that are used here."""
    import torchvision  # noqa: F401 - whole, before its parts: threads that begin with different parts can lock up
    from torchvision import io
    from torchvision.transforms.v2 import functional

    return Vision(functional, io)
