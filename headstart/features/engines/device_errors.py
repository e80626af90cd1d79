"""What a GPU that has no memory left, or that fails in the middle, means for a run, in words.

torch raises `OutOfMemoryError` where its own allocator finds no memory, and `AcceleratorError` or another RuntimeError
that begins with "CUDA error" for what the driver reports, at the call itself or at one of the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch

from headstart.errors import HeadstartError

__all__ = ["device_errors", "is_out_of_memory"]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the memory of a device has run out, whoever says so."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "CUDA error" in str(error) and "out of memory" in str(error)


@contextmanager
def device_errors(device: str, kind: type[HeadstartError], kept: str) -> Iterator[None]:
    """Within it such errors become those of headstart; others, and those where the device is the CPU, pass.

    kept   what is left of the work until then, in words
    """
    try:
        yield
    except RuntimeError as error:
        words = "" if device == "cpu" else _words(error, device)
        if not words:
            raise
        raise kind(f"{words}. {kept[:1].upper()}{kept[1:]}") from error


def _words(error: RuntimeError, device: str) -> str:
    """ "" for an error of another sort."""
    if is_out_of_memory(error):
        return (
            f"{device} has too little memory left{_free(device)}: end what else runs there, or choose another device, "
            "such as --device cpu (device='cpu')"
        )
    if isinstance(error, torch.AcceleratorError) or str(error).startswith("CUDA error"):
        first = str(error).strip().splitlines()[0]
        return f"{device} failed and does not answer any more ({first[:200]})"
    return ""


def _free(device: str) -> str:
    """How much memory the device has and how much of it nobody holds; "" where it does not say."""
    with suppress(RuntimeError):
        free, total = torch.cuda.mem_get_info(device)
        return f" ({free / 2**30:.1f} of {total / 2**30:.1f} GiB; other processes may hold the rest)"
    return ""
