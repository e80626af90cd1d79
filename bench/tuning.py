"""Do weights that move beat the probe? Real pictures and sentences, a few labelled rows a class, several seeds.

    python bench/tuning.py pictures --labels 10 25 --seeds 5 --methods top lp-ft wise-ft
    python bench/tuning.py text --labels 100 400 --seeds 5 --methods top lp-ft --domains amazon

Prints a table in Markdown: the mean score over the seeds, the mean paired difference to the probe with its 95 %
interval (Student's t over the seeds), and the seconds of one fit. Every seed draws other training rows; all other rows
are tested on. Pictures: balanced accuracy on the Twemoji subcategories. Text: accuracy on review sentences, whole
reviews on one side.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from material import DOMAINS, rated_sentences
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
from demo_data import emoji_folder

from headstart import Transfer

SMALLEST, LARGEST = 40, 60
"""Pictures of a subcategory."""

CLEAR = 0.5
"""How far a rating must be from 0."""


def pictures(folder: Path, at_least: int = SMALLEST) -> tuple[list[str], list[str], list[int]]:
    """Files, subcategories and a number a file, of those subcategories that have enough to learn from and test on."""
    emoji = emoji_folder(folder, at_least=at_least, at_most=LARGEST)
    rows = [(str(path), one.name) for one in sorted(emoji.iterdir()) for path in sorted(one.iterdir())]
    return [path for path, _ in rows], [name for _, name in rows], list(range(len(rows)))


def sentences(domain: str) -> tuple[list[str], list[str], list[int]]:
    """Sentences, whether they praise, and the review that each is from."""
    rated = [row for row in rated_sentences(domain) if abs(row[1]) >= CLEAR]
    rows = [(text, "good" if rating > 0 else "bad", review) for review, rating, text in rated]
    texts, labels, reviews = zip(*rows, strict=True)
    return list(texts), list(labels), list(np.unique(reviews, return_inverse=True)[1])


def drawn(labels: list[str], groups: list[int], count: int, seed: int, each: bool) -> tuple[Any, Any]:
    """Row numbers: `count` (of each class, or in all) to learn from, and those that share no group with them."""
    order, of = np.random.default_rng(seed).permutation(len(labels)), np.asarray(labels)
    if each:
        train = np.concatenate([order[of[order] == name][:count] for name in np.unique(of)])
        return train, np.setdiff1d(order, train)
    taken: list[int] = []
    for group in np.random.default_rng(seed).permutation(np.unique(groups)):
        if len(taken) < count:
            taken += np.flatnonzero(np.asarray(groups) == group).tolist()
    train = np.array(taken)[:count]
    return train, np.flatnonzero(~np.isin(groups, np.asarray(groups)[train]))


def score(model: Transfer, inputs: list[str], labels: list[str], each: bool) -> float:
    said = model.predict(inputs)
    return float(balanced_accuracy_score(labels, said) if each else np.mean(np.asarray(labels) == said))


def runs(task: Any, count: int, args: argparse.Namespace, backbone: str, each: bool) -> Iterator[tuple[str, int, Any]]:
    inputs, labels, groups = task
    for seed in range(args.seeds):
        train, test = drawn(labels, groups, count, seed, each)
        for method in ["probe", *args.methods]:
            options = None if method == "probe" else dict(pair.split("=") for pair in args.option)
            began = time.perf_counter()
            model = Transfer(backbone, method, seed=seed, options=options)
            model.fit([inputs[i] for i in train], [labels[i] for i in train], groups=[groups[i] for i in train])
            took = time.perf_counter() - began
            found = score(model, [inputs[i] for i in test], [labels[i] for i in test], each)
            sys.stderr.write(f"{count} seed {seed} {method}: {found:.3f} in {took:.0f} s\n")
            yield method, seed, (found, took)


def table(what: str, task: Any, args: argparse.Namespace, backbone: str, each: bool) -> None:
    for count in args.labels:
        found: dict[str, list[tuple[float, float]]] = {}
        for method, _, result in runs(task, count, args, backbone, each):
            found.setdefault(method, []).append(result)
        probe = np.array([value for value, _ in found["probe"]])
        for method, results in found.items():
            values, seconds = np.array(results).T
            apart = values - probe
            low, high = between(apart)
            gain = "" if method == "probe" else f"{apart.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
            sys.stdout.write(f"| {what} | {count} | {method} | {values.mean():.3f} | {gain} | ")
            sys.stdout.write(f"{np.median(seconds):.1f} |\n")
            sys.stdout.flush()


def between(apart: Any) -> tuple[float, float]:
    """The 95 % interval of a mean of few figures (Student's t)."""
    if len(apart) < 2:
        return np.nan, np.nan
    half = stats.t.ppf(0.975, len(apart) - 1) * stats.sem(apart)
    return apart.mean() - half, apart.mean() + half


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("pictures", "text"), default="pictures")
    parser.add_argument("--labels", type=int, nargs="+", default=[10])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=["top"])
    parser.add_argument("--domains", nargs="+", default=["amazon"], choices=DOMAINS)
    parser.add_argument("--option", nargs="*", default=[])
    args = parser.parse_args()
    sys.stdout.write("| data | labels | method | score | over the probe | seconds a fit |\n|---|--:|---|--:|---|--:|\n")
    if args.what == "text":
        for domain in args.domains:
            table(domain, sentences(domain), args, "bundled:minilm", False)
        return
    with tempfile.TemporaryDirectory() as folder:
        table("Twemoji", pictures(Path(folder) / "emoji"), args, "bundled:efficientnet-lite0", True)


if __name__ == "__main__":
    main()
