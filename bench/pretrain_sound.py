"""Is it worth it to let a network of sounds learn from recordings without labels? On Italian words.

    python bench/pretrain_sound.py CARLO MENARDI [--epochs 10] [--fast]

The folders are those of `bench/audio_backbones.py`. A WaveNet (next samples) and Tacotron's CBHG (masked frames) learn
from the recordings of up to 3 s of both speakers that are no digits, letters or words of the phonetic alphabet; these
are what is asked: from one recording each by one speaker, as the other says them (mean of both directions, nearest by
cosine of features less their mean), and who of the two speaks (half of the words learnt, the other half asked). Beside
it the same network with random weights. Prints the loss of the first and of the last epoch.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from audio_backbones import spoken_words
from audio_source import nearest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import headstart as hs
from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.data.sounds import clip_of
from headstart.features.extract import extract
from headstart.tasks.task import Array

PAIRS = (("cbhg:64", "masked-frames", {}), ("wavenet:9x1-24", "next-sample", {"seconds": 0.25}))
LONGEST = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs=2, type=Path)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--fast", action="store_true", help="a quarter of the recordings")
    given = parser.parse_args()
    words = spoken_words(*given.folders)
    unlabelled = _others(given.folders, set(words))[:: 4 if given.fast else 1]
    asked = [[clip_of(str(folder / word)) for word in words] for folder in given.folders]
    print(f"{len(unlabelled)} recordings without labels, {given.epochs} epochs; {len(words)} words asked.\n")
    print("| network | loss, first epoch | last | one-shot words | who speaks | seconds |\n|---|--:|--:|--:|--:|--:|")
    for name, method, options in PAIRS:
        print(f"| {name}, random weights | | | {_worth(load(name), asked)} | |", flush=True)
        start = time.perf_counter()
        made = hs.pretrain(
            unlabelled, backbone=name, method=method, options={"epochs": given.epochs, **options}, cache=False
        )
        losses = [curve["loss"] for curve in made.made.facts["curves"]]
        took = time.perf_counter() - start
        worth = _worth(made.backbone, asked)
        print(f"| + `{method}` | {losses[0]:.3f} | {losses[-1]:.3f} | {worth} | {took:.0f} |", flush=True)


def _others(folders: list[Path], asked: set[str]) -> list[str]:
    """Recordings of up to `LONGEST` seconds that are not asked; of copies within a folder any."""
    files = [
        (folder, path) for folder in folders for path in sorted(folder.rglob("*.wav")) if path.parent.name != "silence"
    ]
    paths = [str(path) for folder, path in files if str(path.relative_to(folder)) not in asked]
    return [path for path in paths if clip_of(path).seconds < LONGEST]


def _worth(backbone: Backbone, asked: list[list[object]]) -> str:
    """One-shot accuracy, and that of a probe of the speaker, as cells of a table."""
    first, second = (extract(clips, backbone).values for clips in asked)
    return f"{(nearest(first, second) + nearest(second, first)) / 2:.3f} | {_speaker(first, second):.3f}"


def _speaker(first: Array, second: Array) -> float:
    x, y = np.concatenate([first, second]), np.repeat([0, 1], [len(first), len(second)])
    learnt = np.tile(np.arange(len(first)) % 2 == 0, 2)
    scaler = StandardScaler().fit(x[learnt])
    probe = LogisticRegression(max_iter=1000).fit(scaler.transform(x[learnt]), y[learnt])
    return float(probe.score(scaler.transform(x[~learnt]), y[~learnt]))


if __name__ == "__main__":
    main()
