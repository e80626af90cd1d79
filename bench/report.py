"""What a report costs: its size and seconds for 2,000 pictures, and what a fit pays for the rows that it keeps for it.

    OMP_NUM_THREADS=1 python bench/report.py [--rows 2000] [--fits 3]

Pictures of noise in ten colours, as PNG, whose features are calculated once. Printed: the size of the page; seconds to
write it in a fresh process, imports included, and within one, with the feature cache and with an empty one; what the
rows add to evidence.json; processor seconds of a fit from the cache with and without finding them, as a ratio.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image
from timing import option

import headstart
from headstart.evidence.examples import Examples
from headstart.study import comparison
from headstart.study.examples import examples_of

ROWS, FITS = int(option("--rows", "2000")), int(option("--fits", "3"))
CLASSES, SIDE = 10, 160
WRITE = "import sys; from headstart.reports.report import report; report(sys.argv[1], sys.argv[2], overwrite=True)"


def pictures(folder: Path) -> Path:
    """Noise in which each class is tinted, some under another label."""
    rng = np.random.default_rng(0)
    tints = rng.integers(0, 256, (CLASSES, 3))
    for row in range(ROWS):
        code = row % CLASSES
        pixels = 0.75 * rng.integers(0, 256, (SIDE, SIDE, 3)) + 0.25 * tints[code]
        place = folder / f"class {code if row % 13 else (code + 1) % CLASSES}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(place / f"{row}.png")
    return folder


def fit(data: Path) -> float:
    """Processor seconds of a fit whose features are held already."""
    began = time.process_time()
    headstart.fit(data, backbone="bundled:efficientnet-lite0", method="ridge", control=False)
    return time.process_time() - began


class Clock:
    """Finds the rows, and counts the processor seconds that it takes."""

    def __init__(self) -> None:
        self.spent = 0.0

    def __call__(self, *given: Any) -> Examples:
        began = time.process_time()
        examples = examples_of(*given)
        self.spent += time.process_time() - began
        return examples


def in_a_process(model: Path, out: Path, cache: Path | None = None) -> str:
    """Seconds of a report in a fresh process: on the wall, and of processors."""
    where = {} if cache is None else {"HEADSTART_CACHE": str(cache)}
    began, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, "-c", WRITE, str(model), str(out)], check=True, env=os.environ | where)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return f"{time.perf_counter() - began:.2f} s on the wall, {spent:.2f} of processors"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, model, out = pictures(folder / "data"), folder / "model", folder / "page.html"
        fitted = headstart.fit(data, backbone="bundled:efficientnet-lite0", method="ridge", control=False)
        fitted.save(model)
        print(f"a fresh process: {in_a_process(model, out)}; the page {out.stat().st_size / 1e6:.2f} MB")
        print(f"the same with an empty cache: {in_a_process(model, out, folder / 'empty')}")
        began, spent = time.perf_counter(), time.process_time()
        headstart.report(model, out, overwrite=True)
        print(f"within a process: {time.perf_counter() - began:.2f} s, {time.process_time() - spent:.2f} of processors")
        kept = len(json.dumps(fitted.evidence_.examples.to_json()))
        print(f"the rows in evidence.json: {kept / 1e3:.0f} kB")
        ratios = []
        for _ in range(FITS):
            clock = Clock()
            with mock.patch.object(comparison, "examples_of", clock):
                total = fit(data)
            ratios.append(total / (total - clock.spent))
            print(f"a fit from the cache: {total:.2f} s of processors, of which {clock.spent:.3f} for the rows")
        print(f"with the rows / without: {statistics.median(ratios):.4f} (median of {FITS})")


if __name__ == "__main__":
    main()
