"""Fits killed by SIGKILL at random moments and started again: each must end with the bits of a run left alone.

    python tests/soak.py [--kills N] [--seed N]

A round takes one of `JOBS` through `Transfer.fit`, kills it, starts it again, kills it, and so on until it ends. It
prints a JSON object: rounds, kills, starts, resumed (starts that found a journal), epochs (done in all starts),
epochs_at_most (had each start done all), mismatches (rounds that ended in other weights, curves or temperature: must
be 0), left (files that remained: must be none), minutes.

Imports are paid once: a server that has them forks each run.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy: the bits of a sum depend on the number of threads

import numpy as np
from PIL import Image

PRELOADED = ["headstart.transfer", "headstart.backbones.timm", "timm", "peft"]
ROWS = 15
MOST = 10
"""Kills of one round, after which it is left alone."""


class Job(NamedTuple):
    """What is fitted."""

    backbone: str
    method: str
    options: dict[str, Any]


COMMON = {"batch": 4, "lr": 3e-3, "patience": 99, "journal": 0.0}
JOBS = (
    Job("test_efficientnet", "gradual", {"epochs": 5, "stages": 2, "views": 2}),
    Job("test_resnet", "fine-tune", {"epochs": 5, "dropout": 0.2, "ema": 0.9}),
    Job("test_resnet", "top", {"epochs": 8, "optimizer": "sgd", "mixup": 0.2, "views": 3, "batch": 3}),
    Job("test_vit", "lora", {"epochs": 6, "dropout": 0.1}),
    Job("test_vit", "soup", {"epochs": 3}),
)


def pictures(folder: Path) -> tuple[list[str], list[str]]:
    """Noise with a tint that tells the class; paths and labels."""
    rng = np.random.default_rng(0)
    paths, labels = [], []
    for row in range(ROWS):
        pixels = rng.integers(0, 190, (48, 48, 3), np.uint8)
        pixels[..., row % 3] += 60
        paths.append(str(folder / f"{row}.png"))
        labels.append("rgb"[row % 3])
        Image.fromarray(pixels).save(paths[-1])
    return paths, labels


def fit(job: Job, data: tuple[list[str], list[str]], folder: Path) -> None:
    """In a process of its own: fit, write a line after each epoch, and the digest of all that was learnt."""
    from blake3 import blake3

    from headstart import Transfer

    log = logging.getLogger("headstart")
    log.setLevel(logging.DEBUG)
    epochs = logging.FileHandler(folder / "epochs")
    epochs.addFilter(lambda record: record.getMessage().startswith(f"{job.method}: epochs: "))
    log.addHandler(epochs)
    name = f"timm:{job.backbone}?weights=random"
    fitted = Transfer(name, job.method, options=COMMON | job.options, engine="torch").fit(*data)
    model = fitted.model_
    learnt = {key: value.numpy() for key, value in model.backbone.module.state_dict().items()} | model.head.arrays
    digest = blake3(json.dumps([model.head.temperature, model.head.facts.curves]).encode())
    for key in sorted(learnt):
        digest.update(key.encode()).update(np.ascontiguousarray(learnt[key]).tobytes())
    (folder / "digest").write_text(digest.hexdigest())


class Ended(NamedTuple):
    """The digest of what was learnt, how many epochs were done in all starts, and how long it took."""

    digest: str
    epochs: int
    seconds: float


class Soak:
    """Rounds of kills, and what came of them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng, self.counts = folder, np.random.default_rng(seed), Counter[str]()
        self.left: set[str] = set()
        self.data = pictures(folder)
        (folder / "tmp").mkdir()
        os.environ |= {"HEADSTART_CACHE": str(folder / "cache"), "TMPDIR": str(folder / "tmp")}
        self.server = multiprocessing.get_context("forkserver")
        self.server.set_forkserver_preload(PRELOADED)
        self.killed(JOBS[0], None)  # the first run finds out what the processor can do, and is slower
        self.alone: dict[str, Ended] = {}

    def killed(self, job: Job, limit: float | None, *, after_an_epoch: bool = False) -> bool:
        """Start it; whether it had to be killed after so many seconds, counted from its start or its first epoch."""
        process, before = self.server.Process(target=fit, args=(job, self.data, self.folder)), self.epochs()
        process.start()
        while after_an_epoch and process.is_alive() and self.epochs() == before:
            process.join(0.005)
        process.join(limit)
        process.kill()
        process.join()
        code = process.exitcode
        process.close()
        if code not in (0, -signal.SIGKILL):
            raise RuntimeError(f"a run of {job.method} failed: exit code {code}")
        return code != 0

    def epochs(self) -> int:
        """How many were done in the starts of this round."""
        path = self.folder / "epochs"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def ended(self, job: Job, limits: Iterable[float | None]) -> Ended:
        """Start it again and again, with these limits, until it ends."""
        (self.folder / "epochs").unlink(missing_ok=True)
        began = time.perf_counter()
        for limit in limits:
            self.counts["starts"] += 1
            self.counts["resumed"] += any(self.folder.glob("cache/runs/*/now.safetensors"))
            if not self.killed(job, limit, after_an_epoch=limit is not None and self.counts["starts"] % 2 == 0):
                break
            self.counts["kills"] += 1
        seconds = time.perf_counter() - began
        self.left |= {path.name for place in ("cache/runs/*", "tmp/headstart*") for path in self.folder.glob(place)}
        return Ended((self.folder / "digest").read_text(), self.epochs(), seconds)

    def round(self, number: int) -> None:
        """One job, killed up to `MOST` times."""
        job = JOBS[number % len(JOBS)]
        if job.backbone + job.method not in self.alone:
            self.alone[job.backbone + job.method] = self.ended(job, [None])
        alone = self.alone[job.backbone + job.method]
        longest = alone.seconds * self.rng.choice([0.5, 0.8, 1.0])
        before = self.counts["starts"]
        (self.folder / "digest").unlink()
        ended = self.ended(job, [*self.rng.uniform(0, longest, MOST), None])
        self.counts["rounds"] += 1
        self.counts["epochs"] += ended.epochs
        self.counts["epochs_at_most"] += alone.epochs * (self.counts["starts"] - before)
        self.counts["mismatches"] += ended.digest != alone.digest


def main() -> None:
    """Rounds until there are so many kills."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began = time.perf_counter()
    with TemporaryDirectory() as folder:
        soak = Soak(Path(folder), asked.seed)
        while soak.counts["kills"] < asked.kills:
            soak.round(soak.counts["rounds"])
    minutes = round((time.perf_counter() - began) / 60, 2)
    print(json.dumps({**soak.counts, "left": sorted(soak.left), "minutes": minutes}))
    sys.exit(bool(soak.counts["mismatches"] or soak.left))


if __name__ == "__main__":
    main()
