"""What is used of torchvision, without its import where that can be: with it comes torch's compiler, which takes longer
than the answer for a picture."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["jpeg_decoder", "vision"]

_RGB = 3
_OPERATORS = ("image_stable.*", "image.*")
"""The file that holds its decoders, by the name that it has had since 0.29 and the one that it had before."""


@cache
def vision() -> Any:
    """torchvision's `transforms.v2.functional`."""
    import torchvision  # noqa: F401 - whole, before its parts: threads that begin with different parts can lock up
    from torchvision.transforms.v2 import functional

    return functional


@cache
def jpeg_decoder() -> Callable[[Tensor], Tensor] | None:
    """Bytes of a JPEG file (N,) uint8 -> RGB, upright: uint8 (3, H, W). None where torchvision has no such operator:
    its decoders are deprecated since 0.29."""
    import torch

    operators: Any = torch.ops
    decode: Any = None
    package = find_spec("torchvision")
    for place in package.submodule_search_locations or () if package else ():
        for file in (file for name in _OPERATORS for file in sorted(Path(place).glob(name))):
            with suppress(OSError):
                operators.load_library(file)
    with suppress(AttributeError):
        decode = operators.image.decode_jpeg
    return None if decode is None else lambda encoded: decode(encoded, _RGB, True)
