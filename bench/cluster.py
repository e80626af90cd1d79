"""What `--cluster local` costs and saves: seconds of start, and the same work beside one process with one thread.

    python bench/cluster.py [--pictures 400] [--rows 300] [--only start features trials]

    start      from nothing to a cluster that takes work, and its end
    features   pictures through bundled:efficientnet-lite0, float32 by torch, nothing cached: one lane, two lanes, and
               two processes; the second time the processes have loaded torch and the network
    trials     repeated cross-validation of a fit on numbers: one process, and two

The answers of both are compared bit by bit. Ratios are wall times of one run; give the load that it prints too.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

import headstart as hs
from headstart.backbones import load
from headstart.distributed import cluster
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction, extract

CORES = 2


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Writes down the seconds of the block."""
    began = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - began


def pictures(folder: Path, count: int) -> list[str]:
    """JPEG files of 500 x 375 pixels."""
    random, paths = np.random.default_rng(0), []
    for number in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        paths.append(str(folder / f"{number}.jpg"))
        coarse.resize((500, 375)).save(paths[-1], quality=90)
    return paths


def of_features(count: int, seconds: dict[str, float]) -> bool:
    """One process with one lane and with two, then two processes, twice."""
    backbone = load("bundled:efficientnet-lite0")
    with tempfile.TemporaryDirectory() as name:
        paths = pictures(Path(name), count)

        def run(lanes: int, cache: str) -> Any:
            how = Extraction(engine="torch", precision="float32", lanes=lanes, cache=Cache(Path(name) / cache))
            return extract(paths, backbone, how).values

        run(1, "warm-up")
        with timed(seconds, "features, one lane"):
            plain = run(1, "one")
        with timed(seconds, "features, two lanes"):
            run(CORES, "two")
        with cluster("local", cores=CORES):
            with timed(seconds, "features, two processes, first"):
                first = run(1, "first")
            with timed(seconds, "features, two processes, again"):
                again = run(1, "again")
    return bool((plain == first).all() and (plain == again).all())


def of_trials(rows: int, seconds: dict[str, float]) -> bool:
    """A fit that is tested by repeated cross-validation."""
    random = np.random.default_rng(0)
    numbers = random.normal(size=(rows, 20))
    target = np.where(numbers[:, 0] + random.normal(size=rows) > 0, "a", "b")
    table = pd.DataFrame(numbers, columns=[f"x{n}" for n in range(20)]).assign(target=target)

    def run() -> Any:
        model = hs.fit(table, roles=hs.Roles(target="target"), cache=False)
        return model.predict_proba(table.drop(columns="target")), model.evidence_.assessment

    run()
    with timed(seconds, "trials, one process"):
        plain = run()
    with cluster("local", cores=CORES):
        with timed(seconds, "trials, two processes, first"):
            run()
        with timed(seconds, "trials, two processes, again"):
            again = run()
    return bool((plain[0] == again[0]).all() and plain[1] == again[1])


def of_start(seconds: dict[str, float]) -> bool:
    """Nothing but a start and an end."""
    with timed(seconds, "start and end"), cluster("local", cores=CORES):
        pass
    return True


def main(words: list[str]) -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--only", nargs="*", default=["start", "features", "trials"])
    given = parser.parse_args(words)
    parts: dict[str, Callable[[dict[str, float]], bool]] = {
        "start": of_start,
        "features": lambda seconds: of_features(given.pictures, seconds),
        "trials": lambda seconds: of_trials(given.rows, seconds),
    }
    for part in given.only:
        seconds: dict[str, float] = {}
        same = parts[part](seconds)
        base = next(iter(seconds.values()))
        for name, took in seconds.items():
            sys.stdout.write(f"{name:32} {took:7.2f} s  {took / base:5.2f} x\n")
        sys.stdout.write(f"{part}: the same bits: {same}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
