"""The journal of a training: what a killed run needs to go on to the same bits. One file, replaced whole."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from headstart.features.shard import write_file

__all__ = ["Checkpoint", "Journal"]

_PARTS = ("now", "best", "optimiser")


class Checkpoint(NamedTuple):
    """Where a training stands.

    stage, epoch      the last epoch that is done (-1: none of this stage)
    lowest, best_at   the best validation loss of the stage and its epoch (-1: where the stage began)
    curves            rows of (stage, epoch, training loss, validation loss)
    best              the weights that go with `lowest`
    """

    stage: int
    epoch: int
    lowest: float
    best_at: int
    curves: list[list[float]]
    best: dict[str, Tensor]


class Journal:
    """The file of one training; `path` None keeps nothing. Epochs that end sooner after another than `every` seconds
    are not written: they are done again, to the same bits."""

    def __init__(self, path: Path | None, *, every: float = 10.0) -> None:
        self.path = path
        self._every = every
        self._written = time.monotonic()
        self.notes: list[str] = []
        self._found: dict[str, dict[str, Tensor]] = {}

    def read(self) -> Checkpoint | None:
        """The last checkpoint; None where there is none that is whole."""
        if self.path is None or not self.path.is_file():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                about = json.loads((file.metadata() or {})["about"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            self._found = {part: _of(tensors, part) for part in _PARTS}
            return Checkpoint(**about, best=self._found["best"])
        except (SafetensorError, KeyError, TypeError, ValueError):
            self.close()
            return None

    def write(self, point: Checkpoint, network: nn.Module, optimise: torch.optim.Optimizer) -> None:
        """Replace the last checkpoint. Where the disk does not take it the run goes on without, and `notes` says so."""
        if self.path is None or time.monotonic() - self._written < self._every:
            return
        state = {
            f"{number}.{key}": value
            for number, values in optimise.state_dict()["state"].items()
            for key, value in values.items()
            if isinstance(value, Tensor)
        }
        parts = {"now": network.state_dict(), "best": point.best, "optimiser": state}
        tensors = {f"{part}/{name}": value.clone() for part, some in parts.items() for name, value in some.items()}
        about = {key: value for key, value in point._asdict().items() if key != "best"}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_file(self.path, save(tensors, {"about": json.dumps(about)}))
        except OSError as error:
            self.notes.append(f"where training stands could not be kept ({error}): a killed run would begin anew")
            self.path = None
        self._written = time.monotonic()

    def restore(self, network: nn.Module, optimise: torch.optim.Optimizer) -> None:
        """Put the weights and the optimiser where the checkpoint that was read left them."""
        network.load_state_dict(self._found["now"])
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in self._found["optimiser"].items():
            number, _, key = name.partition(".")
            state.setdefault(int(number), {})[key] = value
        optimise.load_state_dict({"state": state, "param_groups": optimise.state_dict()["param_groups"]})

    def close(self) -> None:
        """The training is done, or the file is of no use: it goes."""
        if self.path is not None:
            with suppress(OSError):  # what cannot be deleted is read again, and is right
                self.path.unlink(missing_ok=True)


def _of(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}/"): value for name, value in tensors.items() if name.startswith(f"{part}/")}
