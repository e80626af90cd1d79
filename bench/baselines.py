"""What the baselines and controls of a fit cost beside the rest of it, cold and a second time, each in a process.

    python bench/baselines.py [--quick] [--rows N] [--texts] [--turns N]      --texts: MiniLM on sentences too

    first     baselines / (features + head) of a fit with an empty cache
    second    baselines of the same fit once more / those of the first
    whole     `headstart fit` of 100 pictures with a warm cache, the process and its imports too, beside what a first
              answer may take (`bench/first_answer.py`): 1.35 times `python -c "import torch"`, and .6 s

Choosing the engine, which is measured once for a network and a machine and then remembered, is outside the clock.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from material import jpegs, show
from timing import QUICK, load_average, option, settled

from headstart.backbones.load import load
from headstart.features.engines.select import Wish

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
from demo_data import sentiment_csv

FIT = (sys.executable, "-m", "headstart", "fit")
LITE0, MINILM = "bundled:efficientnet-lite0", "bundled:minilm"


def fitted(data: Path, backbone: str, cache: Path) -> dict[str, Any]:
    """The seconds of the parts of a fit, and its figures."""
    done = subprocess.run(
        [*FIT, str(data), "--backbone", backbone, "--json", "--overwrite", "--out", str(cache.parent / "model")],
        env=os.environ | {"HEADSTART_CACHE": str(cache)},
        check=True,
        capture_output=True,
        text=True,
    )
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def wall(words: list[str], cache: Path) -> float:
    """Seconds of a process from its start to its end."""
    began = time.perf_counter()
    own = os.environ | {"HEADSTART_CACHE": str(cache)}
    subprocess.run([sys.executable, *words], env=own, check=True, capture_output=True)
    return time.perf_counter() - began


def compared(what: str, data: Path, backbone: str, machine: Path, cache: Path) -> None:
    """Print both ratios of a fit and its repetition; the figures of both have to be the same."""
    shutil.rmtree(cache, ignore_errors=True)
    shutil.copytree(machine, cache)
    load_average()
    first, second = (fitted(data, backbone, cache) for _ in range(2))
    for part in ("metrics", "baselines", "gains", "verdict"):
        assert first[part] == second[part], part
    seconds, again = first["seconds"], second["seconds"]
    rest = seconds["features"] + seconds["head"]
    show(f"{what}: baselines / (features + head)", seconds["baselines"], rest, "<= 0.5")
    show(f"{what}: baselines, second fit / first", again["baselines"], seconds["baselines"], "<= 0.1")
    for name, record in (("first", seconds), ("second", again)):
        parts = ", ".join(f"{part} {spent:.2f} s" for part, spent in record.items())
        sys.stdout.write(f"    {name}: {parts}\n")


def whole(data: Path, cache: Path, turns: int) -> None:
    """Print a fit of 100 pictures from the start of its process, beside three times what a first answer may take."""
    model = ["--out", str(cache.parent / "model"), "--overwrite"]
    words = ["-m", "headstart", "fit", str(data), "--backbone", LITE0, *model]
    wall(words, cache)
    fits, imports = [], []
    for _ in range(turns):
        imports.append(wall(["-c", "import torch"], cache))
        fits.append(wall(words, cache))
    limit = 1.35 * statistics.median(imports) + 0.6
    show("a whole fit of 100 pictures, warm / first-answer limit", statistics.median(fits), limit, "<= 3")


def main() -> None:
    with TemporaryDirectory() as folder:
        work = Path(folder)
        cache, machine = work / "cache", work / "machine"
        rows = int(option("--rows", "60" if QUICK else "1000"))
        settled(load(LITE0), Wish(), machine)
        compared(f"{rows} pictures, lite0", jpegs(work / "many", rows), LITE0, machine, cache)
        whole(jpegs(work / "few", 100), cache, int(option("--turns", "1" if QUICK else "5")))
        if "--texts" in sys.argv:
            settled(load(MINILM), Wish(), machine)
            texts = sentiment_csv(work / "amazon.csv", train=60 if QUICK else 1000, test=60 if QUICK else 500)
            compared("sentences, MiniLM", texts, MINILM, machine, cache)


if __name__ == "__main__":
    main()
