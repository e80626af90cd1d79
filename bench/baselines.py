"""What the baselines and controls of a fit cost beside the rest of it, cold and a second time, each in a process.

    python bench/baselines.py [--quick] [--rows N] [--texts] [--turns N]      --texts: MiniLM on sentences too

    first     baselines / (features + head) of a fit with an empty cache: the median of the turns, in wall seconds
    second    baselines of the same fit once more / those of the first
    parts     what each part costs in this process, one after the other, in wall and in processor seconds, which other
              work on the machine moves less; and the least ratio that a control can have which sees all rows by the
              same network and looks for the same head: its forward pass and head / (features + head)
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
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from material import jpegs, show
from timing import QUICK, Took, clock, load_average, option, settled, two_ratios

from headstart.backbones.load import load
from headstart.data.read import read
from headstart.features.cache.answers import AnswerCache
from headstart.features.cache.cache import Cache
from headstart.features.engines.select import Wish
from headstart.features.extract import Extraction, make_ready
from headstart.features.feature_set import look
from headstart.features.held_pixels import HeldPixels
from headstart.listener import Logged
from headstart.methods.plan import Plan
from headstart.methods.table import fit_model
from headstart.study.untransferred import Untransferred

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


def compared(what: str, data: Path, backbone: str, machine: Path, cache: Path, turns: int) -> None:
    """Print both ratios of a fit and its repetition; the figures of both have to be the same."""
    runs: list[tuple[dict[str, float], dict[str, float]]] = []
    for _ in range(turns):
        anew(cache, machine)
        load_average()
        first, second = (fitted(data, backbone, cache) for _ in range(2))
        for part in ("metrics", "baselines", "gains", "verdict"):
            assert first[part] == second[part], part
        runs.append((first["seconds"], second["seconds"]))
        for name, record in zip(("first", "second"), runs[-1], strict=True):
            seconds = ", ".join(f"{part} {spent:.2f} s" for part, spent in record.items())
            sys.stdout.write(f"    {name}: {seconds}\n")
    runs.sort(key=lambda run: run[0]["baselines"] / (run[0]["features"] + run[0]["head"]))
    cold, again = runs[len(runs) // 2]
    show(f"{what}: baselines / (features + head)", cold["baselines"], cold["features"] + cold["head"], "<= 0.5")
    show(f"{what}: baselines, second fit / first", again["baselines"], cold["baselines"], "<= 0.1")


def anew(cache: Path, machine: Path) -> None:
    """An empty cache, but for what was measured of the machine."""
    shutil.rmtree(cache, ignore_errors=True)
    shutil.copytree(machine, cache)


def parts(what: str, data: Path, name: str, machine: Path, cache: Path) -> None:
    """Print the seconds of each part, one after the other; four fifths of the rows are learnt from, as in the fit."""
    anew(cache, machine)
    backbone, task, plan = load(name), read(data), Plan()
    how = Extraction(cache=Cache(cache), pixels=HeldPixels())
    second = replace(how, thumbs=False)
    draw = backbone.random
    if draw is None:
        raise ValueError(f"{name} has no weights that could be random")
    took: dict[str, Took] = {}
    took["features"], seen = clock(lambda: look(task, backbone, how, Logged()))
    test, train = np.split(np.random.default_rng(0).permutation(len(seen)), [len(seen) // 5])
    took["head"], _ = clock(lambda: fit_model(seen.take(train), backbone, plan))
    alone = Untransferred(plan, AnswerCache(None, sys.stderr.write))
    took["no-transfer"], _ = clock(lambda: alone.answer(seen.take(train), seen.take(test)))
    took["random weights drawn"], twin = clock(lambda: draw(plan.seed))
    took["their engine"], _ = clock(lambda: make_ready(twin, seen.keys, second))
    took["their pass"], random = clock(lambda: look(seen.task, twin, second, Logged()))
    took["their head"], _ = clock(lambda: fit_model(random.take(train), twin, plan))
    for part, (spent, cpu) in took.items():
        sys.stdout.write(f"    {what}: {part:<22} {spent:6.2f} s, of processors {cpu:6.2f} s\n")
    least = [total(took[part] for part in some) for some in (("their pass", "their head"), ("features", "head"))]
    wanted = ("no-transfer", "random weights drawn", "their engine", "their pass", "their head")
    every = total(took[part] for part in wanted)
    two_ratios(f"{what}: baselines, one after the other / (features + head)", every, least[1], "<= 0.5")
    two_ratios(f"{what}: a control's pass and head / (features + head)", *least, "none")


def total(times: Iterable[Took]) -> Took:
    """All of them, one after the other."""
    return Took(*map(sum, zip(*times, strict=True)))


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
        turns = int(option("--turns", "1" if QUICK else "5"))
        compared(f"{rows} pictures, lite0", jpegs(work / "many", rows), LITE0, machine, cache, turns)
        parts(f"{rows} pictures", work / "many", LITE0, machine, cache)
        whole(jpegs(work / "few", 100), cache, turns)
        if "--texts" in sys.argv:
            settled(load(MINILM), Wish(), machine)
            texts = sentiment_csv(work / "amazon.csv", train=60 if QUICK else 1000, test=60 if QUICK else 500)
            compared("sentences, MiniLM", texts, MINILM, machine, cache, turns)
            parts("sentences", texts, MINILM, machine, cache)


if __name__ == "__main__":
    main()
