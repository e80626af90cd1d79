"""A fitting on disk: weights, their average and the optimizers' moments as safetensors, the rest as JSON."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from headstart.errors import BackboneError
from headstart.table_prior.network import Design
from headstart.table_prior.training import Fitting, Schedule
from headstart.table_prior.weights import RECORD, write_weights

__all__ = ["resumed", "save"]

STATE = "state-{step}.safetensors"


def save(fitting: Fitting, folder: Path, record: dict[str, Any]) -> None:
    """Write the state beside the last one, and then the record that names it, so that a killed write loses nothing.

    record   what else is known, as JSON: the learning curve, minutes, hardware
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = STATE.format(step=fitting.step)
    tensors = {f"network.{key}": value for key, value in fitting.network.state_dict().items()}
    tensors |= {f"average.{key}": value for key, value in fitting.average.state_dict().items()}
    for number, optimizer in enumerate(fitting.optimizers):
        for place, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{place}.{key}": torch.as_tensor(value) for key, value in state.items()}
    save_file({key: value.detach().cpu().contiguous() for key, value in tensors.items()}, folder / f"{name}.part")
    os.replace(folder / f"{name}.part", folder / name)
    write_weights(fitting.average, folder)
    contents = {"state": name, "step": fitting.step, "design": fitting.network.design._asdict()}
    contents |= {"schedule": asdict(fitting.schedule), **record}
    (folder / f"{RECORD}.part").write_text(json.dumps(contents, indent=1), "utf-8")
    os.replace(folder / f"{RECORD}.part", folder / RECORD)
    for other in folder.glob(STATE.format(step="*")):
        if other.name != name:
            other.unlink()


def resumed(folder: Path, device: str = "cpu", **changes: Any) -> tuple[Fitting, dict[str, Any]]:
    """The fitting in a folder and its record, to go on to the same bits; `changes` to its schedule, such as steps.

    `BackboneError` where there is none.
    """
    if not (folder / RECORD).is_file():
        raise BackboneError(f"{folder}: no {RECORD}; expected a folder that a training of the table prior has written.")
    record = json.loads((folder / RECORD).read_text("utf-8"))
    fitting = Fitting(Design(**record["design"]), Schedule(**{**record["schedule"], **changes}), device)
    tensors = load_file(folder / record["state"])
    fitting.step = record["step"]
    fitting.network.load_state_dict(_under("network.", tensors))
    fitting.average.load_state_dict(_under("average.", tensors))
    for number, optimizer in enumerate(fitting.optimizers):
        stored = optimizer.state_dict()
        states: dict[int, dict[str, Tensor]] = {}
        for key, tensor in _under(f"optimizer.{number}.", tensors).items():
            place, _, name = key.partition(".")
            states.setdefault(int(place), {})[name] = tensor
        optimizer.load_state_dict({**stored, "state": states})
    return fitting, record


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
