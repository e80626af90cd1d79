"""What the benches share: a clock of wall and processor seconds, a cold fit, a bare forward pass, and the options."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from headstart.backbones.backbone import Backbone
from headstart.data.arrays import as_task
from headstart.data.quality.check import check
from headstart.data.read import read
from headstart.features.cache.cache import MACHINE, Cache
from headstart.features.cache.memory import Memory
from headstart.features.engines import processor
from headstart.features.engines.engine import Choice, Engine
from headstart.features.engines.select import Wish, build, measure, settle
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.features.lanes import run_lanes
from headstart.features.quiet import quiet
from headstart.listener import Logged
from headstart.methods.plan import Plan
from headstart.methods.table import fit_model
from headstart.preprocessing.decode import decode
from headstart.preprocessing.prepare import Pixels, normalise, prepare
from headstart.preprocessing.spec import PicturePreprocess
from headstart.tasks.task import Array, Task

__all__ = [
    "ONCE",
    "QUICK",
    "Fit",
    "Took",
    "bare",
    "built",
    "clock",
    "cold_fit",
    "eager",
    "load_average",
    "median",
    "option",
    "pixels",
    "settled",
    "two_ratios",
]

QUICK = "--quick" in sys.argv
ONCE = QUICK or "--once" in sys.argv


def option(name: str, otherwise: str) -> str:
    """The word after `name` on the command line."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise


class Took(NamedTuple):
    """Wall seconds, and the seconds that the processors worked for this process (all threads together)."""

    wall: float
    cpu: float


class Fit(NamedTuple):
    """A fitted model and where its time went."""

    model: Any
    whole: Took
    features: Took
    check: Took
    head: Took


def clock(work: Callable[[], Any]) -> tuple[Took, Any]:
    """Do it; how long it took and what it gave."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return Took(time.perf_counter() - wall, time.process_time() - cpu), result


def median(times: Sequence[Took]) -> Took:
    """Each figure's own median."""
    return Took(statistics.median(t.wall for t in times), statistics.median(t.cpu for t in times))


def settled(backbone: Backbone, wish: Wish, folder: Path, *, rows: int = 1000) -> Choice:
    """The engine for this network on this machine, measured once and remembered in `folder`, a cache."""
    memory = Memory(folder / MACHINE)
    chosen = settle(backbone, rows, wish, memory)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)  # as in the lanes
        with quiet():
            return chosen or measure(backbone, rows, wish, memory, processor.cores())[0]
    finally:
        torch.set_num_threads(threads)


def cold_fit(data: Any, backbone: Backbone, *, machine: Path, into: Path, wish: Wish | None = None) -> Fit:
    """Read, look, check, choose and fit the head by cross-validation, with an empty cache in `into`.

    data      a folder, or (inputs, targets)
    machine   a cache where the choice of the engine is remembered; nothing else is taken from it
    """
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(machine / MACHINE, into / MACHINE)
    wish = wish or Wish()
    extraction = Extraction(engine=wish.engine, precision=wish.precision, cache=Cache(into))

    def seen_task() -> Any:
        task: Task = as_task(*data) if isinstance(data, tuple) else read(data)
        return look(task, backbone, extraction, Logged())

    def whole() -> tuple[Any, Took, Took, Took]:
        features, seen = clock(seen_task)
        checking, _ = clock(lambda: check(seen.task, keys=seen.keys, thumbs=seen.thumbs))
        head, model = clock(lambda: fit_model(seen, backbone, Plan("probe")))
        return model, features, checking, head

    took, (model, *parts) = clock(whole)
    return Fit(model, took, *parts)


def pixels(paths: Sequence[str], preprocess: PicturePreprocess) -> Pixels:
    """The pictures decoded and prepared: uint8 (N, H, W, 3)."""
    return np.stack([prepare(decode(Path(path).read_bytes(), draft=True), preprocess) for path in paths])


def bare(engine: Engine, prepared: Pixels) -> Array:
    """The forward pass and nothing else: the engine's batches through as many lanes as headstart uses."""
    starts = range(0, len(prepared), engine.batch)
    parts: list[Array] = [np.empty(0)] * len(starts)
    filled = np.concatenate([prepared, prepared[: -len(prepared) % engine.batch]])

    def lane(numbers: Any, _: Any) -> None:
        runner = engine.lane()
        for number in numbers:
            parts[number] = runner(filled[starts[number] : starts[number] + engine.batch])

    run_lanes(lane, len(starts), processor.cores(), lambda: None)
    return np.concatenate(parts)[: len(prepared)]


def built(choice: Choice, backbone: Backbone) -> Engine:
    """The engine set up."""
    with quiet():
        return build(choice, backbone, processor.cores())


def eager(backbone: Backbone, prepared: Pixels, *, batch: int = 32) -> Took:
    """Plain torch: float32, NCHW, torch's own threads; the pixels are normalised outside the clock."""
    module: Any = backbone.module
    if not isinstance(backbone.preprocess, PicturePreprocess):
        raise TypeError(f"{backbone.name} takes no pictures")
    wall = cpu = 0.0
    with torch.inference_mode():
        module(torch.zeros(batch, 3, *backbone.preprocess.size))
        for at in range(0, len(prepared), batch):
            x = normalise(torch.from_numpy(prepared[at : at + batch]), backbone.preprocess).contiguous()
            took, _ = clock(lambda x=x: module(x))
            wall, cpu = wall + took.wall, cpu + took.cpu
    return Took(wall, cpu)


def two_ratios(what: str, ours: Took, other: Took, goal: str) -> None:
    """Print ours / other: in wall time, and in processor time, which other processes on the machine move less."""
    sys.stdout.write(
        f"{what:<64} {ours.wall:7.2f} s / {other.wall:7.2f} s = {ours.wall / other.wall:6.3f}"
        f"   processor {ours.cpu / other.cpu:6.3f}   goal {goal}\n"
    )
    sys.stdout.flush()


def load_average() -> None:
    """Print how busy the machine is with other things."""
    sys.stdout.write(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")
    sys.stdout.flush()
