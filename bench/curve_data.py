"""Real tasks for `curve.py`: pictures, sentences, digits and tables, with the features that a backbone made of them.

Twemoji      ten subcategories, EfficientNet-lite0; pictures of one thing belong together
sentences    of four domains, whether they praise, at most 2,000; MiniLM; whole reviews belong together
ratings      the rating itself of Amazon's and the film reviews' sentences, a number
digits       scikit-learn's 8 x 8
tables       auto-mpg (miles a gallon), diabetes, breast cancer, Titanic (who survived)
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import distribution
from typing import Any

import numpy as np
import pandas as pd
from material import DOMAINS, rated_sentences
from pairs_pictures import subcategories
from sklearn import datasets
from tuning import sentences

from headstart.data.arrays import as_task
from headstart.tasks.task import Task

__all__ = ["TASKS"]

MOST, OF_NUMBERS = 2000, 1000
"""Rows of texts, and of arrays, whose boosted trees take longest."""
BACKBONES = {"image": "bundled:efficientnet-lite0", "text": "bundled:minilm"}


def _pick(count: int, most: int = MOST) -> Any:
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


def _emoji() -> Task:
    shown = subcategories()
    return as_task([a.picture for a in shown], [a.subcategory for a in shown], group=[a.thing for a in shown])


def _praise(domain: str) -> Task:
    texts, labels, reviews = sentences(domain)
    pick = _pick(len(texts))
    return as_task([texts[i] for i in pick], [labels[i] for i in pick], group=[f"{domain} {reviews[i]}" for i in pick])


def _ratings(domain: str) -> Task:
    rated = rated_sentences(domain)
    rows = [rated[i] for i in _pick(len(rated))]
    return as_task(
        [text for *_, text in rows], [rating for _, rating, _ in rows], group=[review for review, *_ in rows]
    )


def _arrays(X: Any, y: Any, kind: str = "classification") -> Task:
    pick = _pick(len(X), OF_NUMBERS)
    return as_task(np.asarray(X, np.float64)[pick], np.asarray(y)[pick], kind=kind)


def _bokeh(name: str) -> pd.DataFrame:
    files = distribution("bokeh-sampledata").files or []
    return pd.read_csv(next(file.locate() for file in files if file.name == name))


def _table(frame: pd.DataFrame, target: str, drop: list[str], kind: str, group: str | None = None) -> Task:
    frame = frame[frame[target].notna()].reset_index(drop=True)
    together = None if group is None else frame[group].tolist()
    return as_task(frame.drop(columns=[target, *drop]), frame[target].tolist(), kind=kind, group=together)


def _titanic() -> Task:
    frame = _bokeh("titanic_all.csv")
    return _table(frame.assign(survived=frame["survived"].astype(str)), "survived", ["name"], "classification")


TASKS: dict[str, Callable[[], Task]] = {
    "twemoji": _emoji,
    **{f"sentences, {domain}": lambda domain=domain: _praise(domain) for domain in DOMAINS},  # type: ignore[misc]
    **{f"ratings, {domain}": lambda domain=domain: _ratings(domain) for domain in ("amazon", "movie")},  # type: ignore[misc]
    "auto-mpg": lambda: _table(_bokeh("auto-mpg.csv"), "mpg", ["name"], "regression", "name"),
    "diabetes": lambda: _arrays(*datasets.load_diabetes(return_X_y=True), kind="regression"),
    "Titanic": _titanic,
    "breast cancer": lambda: _arrays(*datasets.load_breast_cancer(return_X_y=True)),
    "digits 8 x 8": lambda: _arrays(*datasets.load_digits(return_X_y=True)),
}
"""Name -> the task."""
