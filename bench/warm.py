"""A warm fit, with another head and another seed in a second process, against the cold one; and which files it opens.

    python bench/warm.py [--quick] [--once] [--rows N]      --once: lite0 only

The clock runs from the folder to the fitted head in each process; imports and building the torch module are outside.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from material import jpegs, show
from timing import ONCE, QUICK, clock, load_average, option, settled

from headstart.backbones.load import load
from headstart.data.quality.check import check
from headstart.data.read import read
from headstart.features.cache.cache import Cache
from headstart.features.engines.select import Wish
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.listener import Logged
from headstart.methods.plan import Plan
from headstart.methods.table import fit_model

NAMES = ("bundled:efficientnet-lite0", "timm:resnet50?weights=random")


def child(name: str, data: str, cache: str, method: str, seed: int) -> None:
    """Fit once; print the seconds of each part, and how many picture files Python opened, as JSON."""
    backbone = load(name)
    opened: list[str] = []

    def listen(event: str, arguments: Any) -> None:
        if event == "open" and str(arguments[0]).startswith(data) and str(arguments[0]).endswith(".jpg"):
            opened.append(str(arguments[0]))

    sys.addaudithook(listen)
    extraction = Extraction(cache=Cache(cache))
    features, seen = clock(lambda: look(read(data), backbone, extraction, Logged()))
    checking, _ = clock(lambda: check(seen.task, keys=seen.keys, thumbs=seen.thumbs))
    head, _ = clock(lambda: fit_model(seen, backbone, Plan(method, seed=seed)))
    parts = {"features": features.wall, "check": checking.wall, "head": head.wall}
    sys.stdout.write(json.dumps({"seconds": parts, "opened": len(opened), "rows": len(seen)}) + "\n")


def started(*arguments: str) -> dict[str, Any]:
    """What a child process tells."""
    done = subprocess.run([sys.executable, __file__, "--child", *arguments], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    with TemporaryDirectory() as folder:
        work = Path(folder)
        data = jpegs(work / "pictures", int(option("--rows", "60" if QUICK else "1000")))
        for name in NAMES[:1] if ONCE else NAMES:
            cache = work / "cache"
            settled(load(name), Wish(), cache)
            load_average()
            cold = started(name, str(data), str(cache), "probe", "0")
            warm = [started(name, str(data), str(cache), "logistic", "1") for _ in range(3)]
            took = sorted(warm, key=lambda run: sum(run["seconds"].values()))[1]
            show(
                f"{name}: warm fit / cold fit",
                sum(took["seconds"].values()),
                sum(cold["seconds"].values()),
                "<= 0.05",
            )
            for what, run in (("cold", cold), ("warm", took)):
                parts = ", ".join(f"{part} {seconds:.2f} s" for part, seconds in run["seconds"].items())
                sys.stdout.write(f"    {what}: {parts}; opened {run['opened']} of {run['rows']} pictures\n")
            sys.stdout.write("    goal: a warm fit opens 0\n")


if __name__ == "__main__":
    if "--child" in sys.argv:
        at = sys.argv.index("--child")
        child(*sys.argv[at + 1 : at + 5], int(sys.argv[at + 5]))
    else:
        main()
