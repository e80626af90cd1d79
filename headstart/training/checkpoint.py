"""The journal of a training: what a killed run needs to go on to the same bits. Each file is replaced whole."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from headstart.features.cache.shard import write_file
from headstart.training.ema import Average

__all__ = ["Checkpoint", "Journal"]

_PARTS = ("now", "best", "optimiser", "average")
_NOW = "now.safetensors"


class Checkpoint(NamedTuple):
    """Where a training stands.

    stage, epoch      the last epoch that is done (-1: none of this stage)
    lowest, best_at   the best validation loss of the stage and its epoch (-1: where the stage began)
    curves            rows of (stage, epoch, training loss, validation loss)
    lengths           how many epochs were best in each of the stages before
    micro             rows that went through the network at once
    last, rows        losses of the validation rows after the last epoch, and those that go with `lowest`
    best              the weights that go with `lowest`
    """

    stage: int
    epoch: int
    lowest: float
    best_at: int
    curves: list[list[float]]
    lengths: list[int]
    micro: int
    last: list[float]
    rows: list[float]
    best: dict[str, Tensor]


class Journal:
    """The folder of one training; `path` None keeps nothing. Epochs that end sooner after another than `every` seconds
    are not written: they are done again, to the same bits."""

    def __init__(self, path: Path | None, *, every: float = 10.0) -> None:
        self.path = path
        self._every = every
        self._written = time.monotonic()
        self.notes: list[str] = []
        self._found: dict[str, dict[str, Tensor]] = {}
        self._steps = 0
        self._ended: dict[int, dict[str, Tensor]] = {}

    @property
    def words(self) -> str:
        """What is left of a training that breaks off now."""
        if self.path is None:
            return "without a cache nothing is kept of the training"
        return (
            "where the training stood is kept in the cache, from no longer than "
            f"{max(self._every, 1):.0f} s and an epoch ago, and the same command goes on from there"
        )

    def read(self) -> Checkpoint | None:
        """The last checkpoint; None where there is none that is whole, with every stage before it."""
        stored = None if self.path is None else _read(self.path / _NOW)
        if stored is None or self.path is None:
            return None
        tensors, record = stored
        try:
            self._found = {part: _of(tensors, part) for part in _PARTS}
            self._steps = int(record.pop("steps"))
            point = Checkpoint(**record, best=self._found["best"])
            past = [_read(self.path / _ended(number)) for number in range(point.stage)]
            # written again with the next checkpoint: a twin of this run may end before, and take its files with it
            self._ended = {number: _of(stage[0], "") for number, stage in enumerate(past) if stage is not None}
            if len(self._ended) == point.stage:
                return point
        except (KeyError, TypeError, ValueError):
            self.close()
        self._ended = {}
        return None

    def write(self, point: Checkpoint, network: nn.Module, optimise: torch.optim.Optimizer, average: Average) -> None:
        """Replace the last checkpoint. Where the disk does not take it the run goes on, and `notes` says so."""
        if self.path is None or time.monotonic() - self._written < self._every:
            return
        state = {
            f"{number}.{key}": value
            for number, values in optimise.state_dict()["state"].items()
            for key, value in values.items()
            if isinstance(value, Tensor)
        }
        parts = {"now": network.state_dict(), "best": point.best, "optimiser": state}
        parts["average"] = average.mean
        record = {key: value for key, value in point._asdict().items() if key != "best"}
        record["steps"] = average.steps
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for number, ended in self._ended.items():
                _write(self.path / _ended(number), {"": ended}, {})
            self._ended = {}
            _write(self.path / _NOW, parts, record)
        except OSError as error:
            self.notes = [f"where training stands could not be kept ({error}): a killed run would begin earlier"]
        self._written = time.monotonic()

    def ended(self, stage: int, state: dict[str, Tensor]) -> None:
        """This stage is done; its weights are kept with the next checkpoint, for a run that goes through it again."""
        if self.path is not None:
            self._ended[stage] = state

    def past(self, stage: int) -> dict[str, Tensor]:
        """The weights that a stage before the checkpoint that was read ended with."""
        return self._ended[stage]

    def restore(self, network: nn.Module, optimise: torch.optim.Optimizer, average: Average) -> None:
        """Put the weights and the optimiser where the checkpoint that was read left them."""
        network.load_state_dict(self._found["now"])
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in self._found["optimiser"].items():
            number, _, key = name.partition(".")
            state.setdefault(int(number), {})[key] = value
        optimise.load_state_dict({"state": state, "param_groups": optimise.state_dict()["param_groups"]})
        average.restore(self._found["average"], self._steps)

    def close(self) -> None:
        """The training is done, or the files are of no use: they go; what cannot be deleted is read again."""
        if self.path is not None:
            shutil.rmtree(self.path, ignore_errors=True)


def _ended(stage: int) -> str:
    return f"stage-{stage}.safetensors"


def _write(path: Path, parts: dict[str, dict[str, Tensor]], record: dict[str, Any]) -> None:
    tensors = {f"{part}/{name}": _plain(value) for part, some in parts.items() for name, value in some.items()}
    write_file(path, save(tensors, {"about": json.dumps(record)}))


def _plain(value: Tensor) -> Tensor:
    return value.detach().cpu().clone(memory_format=torch.contiguous_format)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Tensors and what is said about them; None where the file is not there or not whole."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            record = json.loads((file.metadata() or {})["about"])
            return {name: file.get_tensor(name) for name in file.keys()}, record  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        with suppress(OSError):  # where it cannot be deleted it is passed over again
            path.unlink(missing_ok=True)
        return None


def _of(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}/"): value for name, value in tensors.items() if name.startswith(f"{part}/")}
