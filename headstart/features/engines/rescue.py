"""What is done where an engine fails on some inputs: smaller batches where memory ends, float32 where bfloat16 breaks.

One input of many may be the first that a format of 8 bits of precision has no finite answer for, and a device may have
less memory left than a batch takes. Neither ends a run; both are told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

import numpy as np
import torch

from headstart.backbones.backbone import Backbone
from headstart.features.engines.device_errors import is_out_of_memory
from headstart.features.engines.engine import Choice, Engine, Pending, Rows, Runner, Starter
from headstart.features.engines.torch_engine import TorchEngine
from headstart.tasks.task import Array

__all__ = ["RescuedEngine"]

Some = TypeVar("Some")
Inputs = tuple[Array | Sequence[Array], ...]


class RescuedEngine:
    """An engine whose batches are halved where memory ends, and whose rows without finite features are computed again
    in float32 by torch on the same device. All lanes share what it counts."""

    def __init__(self, engine: Engine, choice: Choice, backbone: Backbone) -> None:
        self._engine, self._choice, self._backbone = engine, choice, backbone
        self.batch, self.lengths, self.fixed, self.flight = engine.batch, engine.lengths, engine.fixed, engine.flight
        self._lock = Lock()
        self._at_once: int | None = None
        self._exact: TorchEngine | None = None
        self._again = 0

    def lane(self) -> Runner:
        """See `Engine`."""
        runner = self._engine.lane()
        return lambda *inputs: self._finite(_joined(self._halved(runner, inputs)), inputs)

    def starter(self) -> Starter:
        """What a thread hands batches over by: to a GPU at once, to any other engine when their rows are there."""
        if not (self.flight and isinstance(self._engine, TorchEngine)):
            runner = self.lane()
            return lambda *inputs: _given(runner(*inputs))
        start = self._engine.start

        def begin(*inputs: Array | Sequence[Array]) -> Pending:
            parts = self._halved(start, inputs)
            return lambda: self._finite(_joined([part() for part in parts]), inputs)

        return begin

    @property
    def notes(self) -> list[str]:
        """What had to be done, in words."""
        notes = []
        if self._at_once is not None:
            notes.append(f"the memory of {self._choice.device} holds {self._at_once} inputs at a time")
        if self._again:
            was = "input has" if self._again == 1 else "inputs have"
            notes.append(
                f"{self._again:,} {was} no finite features in {self._choice.precision} and were computed in float32"
            )
        return notes

    def _halved(self, call: Callable[..., Some], inputs: Inputs) -> list[Some]:
        """What it gives for all rows, at most so many at a time as memory has held so far."""
        parts: list[Some] = []
        at, count = 0, len(inputs[0])
        while at < count:
            size = min(count - at, self._at_once or count)
            try:
                parts.append(call(*(batch[at : at + size] for batch in inputs)))
                at += size
                continue
            except RuntimeError as error:
                if size == 1 or not is_out_of_memory(error):
                    raise
            self._shrink(size // 2)  # not while the error holds what was calculated until then
        return parts

    def _shrink(self, size: int) -> None:
        with self._lock:
            self._at_once = min(size, self._at_once or size)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _finite(self, rows: Rows, inputs: Inputs) -> Rows:
        if self._choice.precision == "float32":
            return rows
        wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if not len(wrong):
            return rows
        exact = self._exactly()
        for row in wrong.tolist():
            rows[row] = _joined(self._halved(exact, tuple(batch[row : row + 1] for batch in inputs)))[0]
        with self._lock:
            self._again += len(wrong)
        return rows

    def _exactly(self) -> Callable[..., Rows]:
        with self._lock:
            if self._exact is None:
                self._exact = TorchEngine(self._backbone, "float32", self._choice.device)
        return self._exact.lane()


def _joined(parts: list[Rows]) -> Rows:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _given(rows: Rows) -> Pending:
    return lambda: rows
