"""One recording of each word is enough: Italian words once by a man, then asked of a woman.

make data && .venv/bin/python examples/spoken_words.py [BACKBONE]

Prints the share of words that are understood, with the network and without: the nearest word in the mean of cepstra.
"""

from __future__ import annotations

import sys

import numpy as np
from italian_words import missing, words

import headstart as hs
from headstart.data import clip_of, described, sketch


def cepstra(recordings: list[bytes]) -> np.ndarray:
    """(N, 120), each column in units of its spread."""
    x = described(np.stack([sketch(clip_of(data)) for data in recordings]))[:, :-1]
    return (x - x.mean(axis=0)) / x.std(axis=0)


def main(backbone: str = "bundled:speech-embedding") -> None:
    if lacking := missing():
        sys.exit(lacking)
    pairs = words()
    names, (men, women) = list(pairs), zip(*pairs.values(), strict=True)
    for learnt, asked, who in ((men, women, "man, then woman"), (women, men, "woman, then man")):
        model = hs.Transfer(backbone, method="prototypes").fit([*learnt, *learnt], names * 2)
        right = np.mean(model.predict(list(asked)) == names)
        distance = ((cepstra(list(asked))[:, None] - cepstra(list(learnt))[None]) ** 2).sum(axis=2)
        plain = np.mean(distance.argmin(axis=1) == np.arange(len(names)))
        print(f"{who}: {len(names)} words, {backbone} {right:.2f}, cepstra {plain:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
