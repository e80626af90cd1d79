"""How long a fresh process takes to its first answer, beside `python -c "import torch"` in the same turns.

    python bench/first_answer.py --turns 7

Prints medians of wall and processor seconds of `headstart predict` for a model of a table, of pictures and of texts,
and of `show` and `check`, with the goal of each: 1.35 times the import of torch, and .6 s.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
from demo_data import emoji_folder

import headstart as hs

TEXTS = ["good day", "bad thing", "lovely", "awful", "nice one", "horrible", "great", "poor", "fine work", "terrible"]


def models(place: Path) -> None:
    """A model of each modality, and one input of each."""
    os.environ["HEADSTART_CACHE"] = str(place / "cache")  # one that no other run has filled
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.normal(size=200), "colour": rng.choice(list("rgb"), 200)})
    table["kind"] = np.where(table["size"] + (table["colour"] == "r") > 0.3, "big", "small")
    table.to_csv(place / "rows.csv", index=False)
    hs.Transfer().fit(table[["size", "colour"]], table["kind"]).save(place / "table")
    hs.fit(place / "rows.csv", cache=False).save(place / "fitted")
    kinds = sorted(emoji_folder(place / "emoji", at_least=20).iterdir())[:2]
    paths = [str(path) for kind in kinds for path in sorted(kind.iterdir())[:12]]
    names = [Path(path).parent.name for path in paths]
    hs.Transfer("bundled:mobilenetv2", "ridge").fit(paths, names).save(place / "pictures")
    (place / "one.png").write_bytes(Path(paths[0]).read_bytes())
    hs.Transfer("bundled:minilm", "ridge").fit(TEXTS, ["good", "bad"] * 5).save(place / "texts")
    (place / "one.txt").write_text("a lovely day", "utf-8")


def seconds(words: list[str], place: Path) -> tuple[float, float]:
    """Of wall clock and of the processor."""
    own = os.environ | {"HEADSTART_CACHE": str(place / "cache")}
    before, began = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=place, env=own, check=True, capture_output=True)
    wall, after = time.perf_counter() - began, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=7)
    turns = parser.parse_args().turns
    run = ["-m", "headstart"]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        models(place)
        tried = {
            "import torch": ["-c", "import torch"],
            "predict, a table": [*run, "predict", "table", "rows.csv"],
            "predict, a picture": [*run, "predict", "pictures", "one.png"],
            "predict, a text": [*run, "predict", "texts", "one.txt"],
            "show": [*run, "show", "fitted"],
            "check, a table": [*run, "check", "rows.csv"],
        }
        taken = {name: [] for name in tried}
        for _ in range(turns):
            for name, words in tried.items():
                taken[name].append(seconds(words, place))
    walls = {name: statistics.median(wall for wall, _ in each) for name, each in taken.items()}
    goal = 1.35 * walls["import torch"] + 0.6
    for name, each in taken.items():
        spent = statistics.median(cpu for _, cpu in each)
        sys.stdout.write(f"{name:<20} {walls[name]:6.2f} s, {spent:5.2f} of the processor   goal <= {goal:.2f}\n")


if __name__ == "__main__":
    main()
