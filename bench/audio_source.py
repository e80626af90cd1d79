"""Spoken words from one recording each by one speaker, asked of another, whose words are there without labels.

    python bench/audio_source.py CARLO MENARDI [--backbone bundled:whisper-base@thirds] [--methods a,b,c]

The words and folders are those of `bench/audio_backbones.py`. Methods that draw on a source see the labelled words of
one speaker and the unlabelled words of the other; `prototypes` and `ridge` see the labelled ones alone. So does the
cosine of features less the mean of those that are learnt from (SimpleShot, Wang et al., 2019); less the mean of each
speaker it takes the unlabelled words too. Prints accuracy in both
directions as a Markdown table. Be aware that each word is there once on either side: `transport`, which carries one
set of rows onto the other as a whole, gains by that.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from audio_backbones import spoken_words

import headstart as hs
from headstart.methods import METHODS
from headstart.tasks.task import Array

METHODS_COMPARED = "transport,subspace,linear-transport,coral,auto,source-only,prototypes,ridge"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs=2, type=Path)
    parser.add_argument("--backbone", default="bundled:whisper-base@thirds")
    parser.add_argument("--methods", default=METHODS_COMPARED)
    given = parser.parse_args()
    warnings.filterwarnings("ignore", message="The number of unique classes is greater than 50%")
    words = spoken_words(*given.folders)
    carlo, menardi = ([str(folder / word) for word in words] for folder in given.folders)
    print(f"{len(words)} words, {given.backbone}\n\n| method | to Menardi | to Carlo | seconds |\n|---|--:|--:|--:|")
    rows = [hs.Transfer(given.backbone, "prototypes").fit(carlo, words).transform(some) for some in (carlo, menardi)]
    for centred, known in (("the learnt", False), ("each speaker", True)):
        shares = [nearest(*pair, known=known) for pair in (rows, rows[::-1])]
        print(f"| cosine, less the mean of {centred} | {shares[0]:.3f} | {shares[1]:.3f} | |", flush=True)
    for method in filter(None, given.methods.split(",")):
        start = time.perf_counter()
        shares = [accuracy(given.backbone, method, *pair, words) for pair in ((carlo, menardi), (menardi, carlo))]
        print(f"| `{method}` | {shares[0]:.3f} | {shares[1]:.3f} | {time.perf_counter() - start:.0f} |", flush=True)


def accuracy(backbone: str, method: str, learnt: list[str], asked: list[str], words: list[str]) -> float:
    """Of the files `asked`, where file i of both is word i."""
    model = hs.Transfer(backbone, method)
    if METHODS[method].needs_source:
        model.fit(asked, None, source=(learnt, words))
    else:
        model.fit(learnt, words)
    return float(np.mean(model.predict(asked) == np.array(words)))


def nearest(learnt: Array, asked: Array, *, known: bool = False) -> float:
    """Accuracy of the nearest by cosine, where row i of both is word i; `known`: whether the mean of all that is asked
    may be known before an answer is given."""
    mean = (asked if known else learnt).mean(0)
    learnt, asked = _unit(learnt - learnt.mean(0)), _unit(asked - mean)
    return float(((asked @ learnt.T).argmax(1) == np.arange(len(asked))).mean())


def _unit(rows: Array) -> Array:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
