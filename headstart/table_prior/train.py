"""The command that fits the network: `python -m headstart.table_prior.train FOLDER --minutes 60`, again to go on."""

from __future__ import annotations

import argparse
import platform
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from headstart.linalg.torch_threads import one_torch_thread
from headstart.table_prior.checkpoint import resumed, save
from headstart.table_prior.network import Design
from headstart.table_prior.training import Fitting, Schedule, validated
from headstart.table_prior.weights import RECORD

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Train for so many minutes, from the folder's last checkpoint where there is one; print the learning curve."""
    settings = _parser().parse_args(arguments)
    torch.set_flush_denormal(True)
    try:
        with one_torch_thread():
            _run(settings)
    finally:
        torch.set_flush_denormal(False)


def _run(settings: argparse.Namespace) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    options = {f.name: getattr(settings, f.name) for f in fields(Schedule) if getattr(settings, f.name) is not None}
    folder = Path(settings.folder)
    if (folder / RECORD).is_file():
        fitting, record = resumed(folder, device, **options)
    else:
        design = Design(**{key: getattr(settings, key) for key in Design._fields})
        fitting, record = Fitting(design, Schedule(**options), device), {"minutes": 0.0, "curve": []}
    record = {"minutes": record["minutes"], "curve": record["curve"], "hardware": _hardware(device)}
    parameters = sum(p.numel() for p in fitting.network.parameters())
    print(f"{parameters:,} parameters on {record['hardware']}, from step {fitting.step}", flush=True)
    _train(fitting, folder, record, settings)


def _train(fitting: Fitting, folder: Path, record: dict[str, Any], settings: argparse.Namespace) -> None:
    start, before, losses, saved = time.monotonic(), record["minutes"], [], time.monotonic()
    for loss in fitting.run(60 * settings.minutes):
        losses.append(loss)
        done = fitting.step == fitting.schedule.steps or time.monotonic() - start > 60 * settings.minutes
        if not done and time.monotonic() - saved < 60 * settings.every:
            continue
        held_out = validated(fitting.average, batches=settings.validation)
        record["minutes"] = before + (time.monotonic() - start) / 60
        point = [fitting.step, round(record["minutes"], 2), sum(losses) / len(losses), *held_out]
        record["curve"].append(point)
        save(fitting, folder, record)
        print("step {} | {} min | loss {:.4f} | held out {:.4f} {:.4f}".format(*point), flush=True)
        losses, saved = [], time.monotonic()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m headstart.table_prior.train", description=__doc__)
    parser.add_argument("folder", help="where checkpoints are written, and gone on from")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long to train now")
    parser.add_argument("--every", type=float, default=5.0, help="minutes from one checkpoint to the next")
    parser.add_argument("--validation", type=int, default=32, help="batches that the curve is measured on")
    for key, value in Design()._asdict().items():
        parser.add_argument(f"--{key}", type=int, default=value, help=f"of the network, at first ({value})")
    for field in fields(Schedule):
        parser.add_argument(f"--{field.name}", type=type(field.default), help=f"of the schedule ({field.default})")
    return parser


def _hardware(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads a lane"


if __name__ == "__main__":
    main()
