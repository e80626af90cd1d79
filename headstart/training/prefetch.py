"""The next batch is made while the one before is used: on a GPU, batches are there when it is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

from headstart.training.step import Batch

__all__ = ["ahead"]


def ahead(batches: Iterator[Batch], device: torch.device) -> Iterator[Batch]:
    """The same batches. Where the CPU calculates they are made when they are asked for: its cores have enough to do.
    Those for a GPU are carried there by a stream of their own, beside its arithmetic."""
    if device.type == "cpu":
        yield from batches
        return
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(_made, batches, stream)
        while (made := coming.result()) is not None:
            batch, there = made
            coming = pool.submit(_made, batches, stream)
            using = torch.cuda.current_stream(device)
            using.wait_event(there)
            for tensor in batch.tensors():
                tensor.record_stream(using)
            yield batch


def _made(batches: Iterator[Batch], stream: torch.cuda.Stream) -> tuple[Batch, Any] | None:
    """The next batch, and the event after which it is there; None after the last."""
    with torch.cuda.stream(stream):
        batch = next(batches, None)
        return None if batch is None else (batch, stream.record_event())
