"""The peak resident size of a fit over 1,000 pictures and over 10,000, each in a process of its own.

    python bench/memory.py [--quick]

Goal: a difference of at most 150 MB plus the features of 10,000 pictures less those of 1,000. Small pictures, all
different, and the bundled mobilenetv2: what is asked is what grows with the number of rows.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from material import jpegs, peak_mb
from timing import QUICK, load_average, settled

from headstart.backbones.load import load
from headstart.data.arrays import as_task
from headstart.data.quality.check import check
from headstart.features.cache.cache import Cache
from headstart.features.engines.select import Wish
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.listener import Logged
from headstart.methods.plan import Plan
from headstart.methods.table import fit_model

NAME = "bundled:mobilenetv2"


def child(data: str, cache: str, rows: int) -> None:
    """Fit over the first `rows` pictures; print the peak after each step as JSON."""
    backbone = load(NAME)
    paths = sorted(Path(data).rglob("*.jpg"), key=lambda path: path.name)[:rows]
    task = as_task([str(path) for path in paths], [path.parent.name for path in paths])
    peaks = {"start": peak_mb()}
    seen = look(task, backbone, Extraction(cache=Cache(cache)), Logged())
    peaks["features"] = peak_mb()
    check(seen.task, keys=seen.keys, thumbs=seen.thumbs)
    peaks["check"] = peak_mb()
    fit_model(seen, backbone, Plan("probe"))
    peaks["head"] = peak_mb()
    held = 0 if seen.values is None else seen.values.nbytes / 2**20
    sys.stdout.write(json.dumps({"peaks": peaks, "features": held, "rows": len(seen)}) + "\n")


def started(data: Path, cache: Path, rows: int) -> dict[str, Any]:
    """What a child process tells."""
    command = [sys.executable, __file__, "--child", str(data), str(cache), str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    with TemporaryDirectory() as folder:
        work = Path(folder)
        small, large = (100, 600) if QUICK else (1000, 10_000)
        data = jpegs(work / "pictures", large, (128, 96))
        runs = []
        machine = work / "machine"
        settled(load(NAME), Wish(), machine)
        load_average()
        for rows in (small, large):
            cache = work / f"cache {rows}"
            shutil.copytree(machine, cache)
            runs.append(started(data, cache, rows))
            peaks = ", ".join(f"{step} {peak:.0f}" for step, peak in runs[-1]["peaks"].items())
            sys.stdout.write(f"{rows:>6,} pictures: peak MB after {peaks}; features {runs[-1]['features']:.0f} MB\n")
        extra = runs[1]["features"] - runs[0]["features"]
        for step in ("features", "check", "head"):
            more = runs[1]["peaks"][step] - runs[0]["peaks"][step]
            sys.stdout.write(f"up to {step:<9} {more:5.0f} MB more   goal <= {150 + extra:.0f} MB (150 + features)\n")


if __name__ == "__main__":
    if "--child" in sys.argv:
        at = sys.argv.index("--child")
        child(sys.argv[at + 1], sys.argv[at + 2], int(sys.argv[at + 3]))
    else:
        main()
