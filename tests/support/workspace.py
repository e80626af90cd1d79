"""Real data under the names that the pages of the documentation use: `photos/`, `reviews.csv`, `recordings/`, ..."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import italian_words
import numpy as np
import pandas as pd
import pytest
from demo_data import VADER, emoji_folder, sentiment_csv
from pages import blocks_of
from PIL import Image

__all__ = ["names_for", "prepare"]

TAKES = {"docs/artefact.md": "reviews", "docs/cli.md": "reviews", "docs/evidence.md": "reviews"}
"""Models that a page takes as saved already."""
FIT = ("headstart", "fit", "amazon.csv", "--backbone", "bundled:wordllama", "--group", "review", "--out")


def some_pictures(folder: Path, classes: int, rows: range, side: str = "") -> None:
    """These pictures of so many classes of Twemoji, in `folder/side/CLASS`."""
    everything = emoji_folder(folder.with_name(f".{folder.name}"), at_least=25, at_most=25)
    for place in sorted(everything.iterdir())[:classes]:
        (folder / side / place.name).mkdir(parents=True)
        for path in sorted(place.iterdir())[rows.start : rows.stop]:
            shutil.copyfile(path, folder / side / place.name / path.name)
    shutil.rmtree(everything)


def photos(work: Path, code: str) -> None:
    """Folders with a sub-folder a class, split unless other rows to test on are named, and folders of pictures."""
    for name in ("photos", "pictures", "labelled"):
        sides = {"": range(15)} if "photos-2026" in code else {"train": range(10), "test": range(10, 15)}
        for side, rows in sides.items():
            some_pictures(work / name, 3, rows, side)
    some_pictures(work / "photos-2026", 3, range(15, 25))
    some_pictures(work / "SOURCE", 20, range(25))
    if "fit new/" in code:
        some_pictures(work / "new", 3, range(25))
        return
    for name in ("new", "more"):
        (work / name).mkdir()
        for number, path in enumerate(sorted((work / "photos-2026").rglob("*.png"))):
            Image.open(path).convert("RGBA").convert("RGB").save(work / name / f"{number}.jpg")


def demo(work: Path, code: str) -> None:
    """What `examples/demo_data.py demo-data` writes, and `examples/italian_words.py demo-data/words 150`."""
    emoji_folder(work / "demo-data" / "twemoji", train=5)
    sentences(work / "demo-data" / "amazon.csv")
    if why := italian_words.missing():
        pytest.skip(why)
    italian_words.word_folders(work / "demo-data" / "words", 150)


def sentences(path: Path, **options: Any) -> None:
    """Rated sentences; skips where the package was not fetched."""
    if not VADER.exists():
        pytest.skip(f"{VADER.name} is not there: make data")
    sentiment_csv(path, **options)


def texts(work: Path, code: str) -> None:
    """Sentences of products and of tweets, with labels and groups."""
    few = "--method dann" in code  # every trial moves the weights of a network by rows of both
    sentences(work / "amazon.csv", **({"train": 60, "test": 40} if few else {}))
    sentences(work / "tweets.csv", domain="tweets", train=60 if few else 150, test=60 if few else 150)
    sentences(work / "reviews.csv", train=120, test=100)


def tables(work: Path, code: str) -> None:
    """Birds with two targets, cars of two continents, calls of which some are fraud, and two clinics."""
    from bokeh_sampledata import __file__ as cars_package
    from palmerpenguins import load_penguins
    from sklearn.datasets import load_breast_cancer

    cars = pd.read_csv(Path(cars_package).parent / "_data" / "auto-mpg.csv").drop(columns="name")
    for origin, name in ((1, "source"), (2, "target")):
        here = cars[cars["origin"] == origin].drop(columns="origin")
        if "--target label" in code:
            here = here.assign(label=np.where(here.pop("mpg") > 22, "thrifty", "thirsty"))
        here.to_csv(work / f"{name}.csv", index=False)
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


def sounds(work: Path, code: str) -> None:
    """Spoken words by their first letter's half of the alphabet, and one long recording."""
    import soundfile
    from italian import words_of

    for name, data in sorted(words_of("carlo").items())[::5]:
        side = work / "recordings" / ("a-m" if name[:1] < "n" else "n-z")
        side.mkdir(parents=True, exist_ok=True)
        (side / f"{name.replace('/', '-')}.wav").write_bytes(data)
    (work / "new").mkdir()
    waves = [soundfile.read(path) for path in sorted((work / "recordings").rglob("*.wav"))[:12]]
    soundfile.write(work / "new" / "word.wav", *waves[0])
    soundfile.write(work / "meeting.flac", np.concatenate([wave for wave, _ in waves]), waves[0][1])


NEEDS: dict[str, Callable[[Path, str], None]] = {
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
    for make in dict.fromkeys(
        make for name, make in NEEDS.items() if name in code or (page in TAKES and name == "amazon.csv")
    ):
        make(work, code)
    if page in TAKES:
        subprocess.run([*FIT, TAKES[page]], cwd=work, check=True)


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
