"""Real data under the names that the pages of the documentation use: `photos/`, `reviews.csv`, `recordings/`, ..."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from demo_data import VADER, emoji_folder, sentiment_csv
from pages import blocks_of

__all__ = ["names_for", "prepare"]

MODELS = {
    "reviews": ("amazon.csv", "--backbone", "bundled:wordllama", "--group", "review"),
    "big": ("pictures", "--backbone", "bundled:efficientnet-lite0", "--method", "probe"),
}
"""Models that a page takes as saved already, and what they are fitted on."""
TAKES = {"docs/artefact.md": "reviews", "docs/cli.md": "reviews", "docs/evidence.md": "reviews"}


def some_pictures(folder: Path, classes: int, each: int) -> None:
    """So many classes of Twemoji, so many pictures of each."""
    everything = emoji_folder(folder.with_name(f".{folder.name}"), at_least=25, at_most=each)
    for place in sorted(everything.iterdir())[:classes]:
        shutil.copytree(place, folder / place.name)
    shutil.rmtree(everything)


def photos(work: Path) -> None:
    """Folders with a sub-folder a class, and folders of pictures alone."""
    for name in ("photos", "photos-2026", "pictures", "labelled"):
        some_pictures(work / name, 3, 25)
    some_pictures(work / "SOURCE", 20, 25)
    pictures = sorted((work / "photos").rglob("*.png"))
    for name in ("new", "more"):
        (work / name).mkdir(exist_ok=True)
        for number, path in enumerate(pictures[:12]):
            side = work / name / "ab"[number % 2] if name == "new" else work / name
            side.mkdir(exist_ok=True)
            shutil.copyfile(path, side / f"{number}.png")
            shutil.copyfile(path, (work / name) / f"{number}.png")
    shutil.copyfile(pictures[0], work / "new" / "one.png")


def demo(work: Path) -> None:
    """What `examples/demo_data.py demo-data` writes."""
    emoji_folder(work / "demo-data" / "twemoji", train=5)
    sentences(work / "demo-data" / "amazon.csv")


def sentences(path: Path, **options: Any) -> None:
    """Rated sentences; skips where the package was not fetched."""
    if not VADER.exists():
        pytest.skip(f"{VADER.name} is not there: make data")
    sentiment_csv(path, **options)


def texts(work: Path) -> None:
    """Sentences of products and of tweets, with labels and groups."""
    sentences(work / "amazon.csv")
    sentences(work / "tweets.csv", domain="tweets", train=150, test=150)
    sentences(work / "all.csv", train=120, test=0)
    pd.read_csv(work / "all.csv").drop(columns="split").to_csv(work / "reviews.csv", index=False)


def tables(work: Path) -> None:
    """Birds with two targets, cars of two continents, calls of which some are fraud, and two clinics."""
    from bokeh_sampledata import __file__ as cars_package
    from palmerpenguins import load_penguins
    from sklearn.datasets import load_breast_cancer

    cars = pd.read_csv(Path(cars_package).parent / "_data" / "auto-mpg.csv").drop(columns="name")
    for origin, name in ((1, "source"), (2, "target")):
        cars[cars["origin"] == origin].drop(columns="origin").to_csv(work / f"{name}.csv", index=False)
    birds = load_penguins().rename(columns={"body_mass_g": "price", "species": "rating"}).drop(columns="year")
    for name, rows in (("table", slice(0, 240)), ("labelled", slice(240, None))):
        birds[rows].to_csv(work / f"{name}.csv", index=False)
    birds[240:].drop(columns=["price", "rating"]).to_csv(work / "new.csv", index=False)
    tumours = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 2, 3, -1]]
    tumours.assign(label=tumours.pop("target").map({0: "fraud", 1: "fine"})).to_csv(work / "calls.csv", index=False)
    older = tumours["mean radius"] > tumours["mean radius"].median()
    labelled = pd.read_csv(work / "calls.csv")
    labelled[older].to_csv(work / "clinic_a.csv", index=False)
    labelled[~older].to_csv(work / "clinic_b.csv", index=False)


def sounds(work: Path) -> None:
    """Spoken words by their first letter's half of the alphabet, and one long recording."""
    import soundfile
    from italian import words_of

    for name, data in sorted(words_of("carlo").items())[:80]:
        side = work / "recordings" / ("a-m" if name[:1] < "n" else "n-z")
        side.mkdir(parents=True, exist_ok=True)
        (side / f"{name}.wav").write_bytes(data)
    (work / "new").mkdir(exist_ok=True)
    waves = [soundfile.read(path) for path in sorted((work / "recordings").rglob("*.wav"))[:12]]
    soundfile.write(work / "new" / "word.wav", *waves[0])
    soundfile.write(work / "meeting.flac", np.concatenate([wave for wave, _ in waves]), waves[0][1])


NEEDS: dict[str, Callable[[Path], None]] = {
    "demo-data": demo,
    "photos": photos,
    "pictures": photos,
    "SOURCE": photos,
    "amazon.csv": texts,
    "reviews.csv": texts,
    "tweets.csv": texts,
    "reviews": texts,
    "table.csv": tables,
    "target.csv": tables,
    "calls.csv": tables,
    "clinic_a.csv": tables,
    "recordings": sounds,
}


def prepare(page: str, work: Path) -> None:
    """Write what the blocks of a page name, and fit the model that it takes as saved."""
    code = "".join(block.code for block in blocks_of(page) if not block.reason)
    for make in dict.fromkeys(make for name, make in NEEDS.items() if name in code or name == TAKES.get(page)):
        make(work)
    if page in TAKES:
        data, *words = MODELS[TAKES[page]]
        subprocess.run(["headstart", "fit", data, *words, "--out", TAKES[page]], cwd=work, check=True)


@cache
def _rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (150, 4) of irises, their kinds, and petal widths in centimetres."""
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    return x[:, :3], y, x[:, 3]


def names_for(page: str) -> dict[str, Any]:
    """What a page's Python takes as there: the import, and data that its words describe."""
    import headstart

    names: dict[str, Any] = {"hs": headstart, "headstart": headstart}
    if page.startswith("README"):
        small = ["I love it", "It broke after a day", "Great sound", "Never again"]
        names |= {"sentences": small * 10, "labels": ["positive", "negative"] * 20}
    elif page == "docs/adaptation.md":
        names |= {"texts_of_both": ["good thing", "bad thing", "very good", "quite bad"] * 6}
        names |= {"y": np.tile([1, 0], 12), "domain": np.repeat([1, -1], 12)}
    elif page == "docs/audio.md":
        tones = [np.sin(np.arange(16000) * hertz / 2500) for hertz in np.linspace(200, 900, 24)]
        names |= {"waves": tones, "labels": ["low"] * 12 + ["high"] * 12}
    elif page == "docs/transferability.md":
        features, labels, prices = _rows()
        names |= {"features": features, "labels": labels, "prices": prices, "others": features[:, :2]}
    return names
