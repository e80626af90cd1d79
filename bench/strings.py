"""Do string kernels carry from one kind of text to another, and does it help to know the target's texts?

    python bench/strings.py [--seeds 3] [--source 500] [--target 400] [--each]

The twelve ordered pairs of the four domains of rated sentences (tweets, films, goods, editorials), other rows drawn in
every seed; no target label is used but for the accuracy. Each row of the table is a pipeline that ends in
`Adapted(step, head).fit(X, y, sample_domain=...)`. Printed: accuracy on the target rows, mean over pairs and seeds, and
the mean difference to the same features without a step (TF-IDF: to the string kernel), with its 95 % interval
(Student's t over the twelve pairs).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
from material import DOMAINS
from scipy import stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegressionCV, RidgeClassifierCV
from tuning import sentences

from headstart.adaptation.alignment.coral import Coral
from headstart.adaptation.alignment.step import Align, Aligned, Domains
from headstart.adaptation.alignment.transductive import Transductive
from headstart.adaptation.estimators.adapted import Adapted
from headstart.adaptation.estimators.string_kernel import StringKernel
from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction, extract
from headstart.tasks.task import Array

PLAIN = {"words": "string kernel", "strings": "string kernel", "minilm": "MiniLM"}
"""What each way is compared with: the features as they are, by the same head."""


class OfTheSource:
    """The control: the same features, standing on source rows alone."""

    def __call__(self, domains: Domains) -> Aligned:
        return Transductive(kernel="linear")(domains._replace(target=domains.source[:1]))


def ridge() -> RidgeClassifierCV:
    """Strength by leave-one-out on the rows it learns from."""
    return RidgeClassifierCV(alphas=np.logspace(-6, 3, 10))


def logistic() -> LogisticRegressionCV:
    return LogisticRegressionCV(
        Cs=np.logspace(-1, 3, 5), l1_ratios=(0,), max_iter=1000, scoring="accuracy", use_legacy_attributes=False
    )


Strategy = tuple[str, Align | None, Callable[[], Any]]
WAYS: dict[str, Strategy] = {
    "TF-IDF of words, logistic": ("words", None, logistic),
    "string kernel": ("strings", None, ridge),
    "its transductive form, rbf (the paper's)": ("strings", Transductive(gamma=0.5), ridge),
    "the same, and 30 % of the target added": ("strings", Transductive(gamma=0.5, added=0.3), ridge),
    "its transductive form, linear": ("strings", Transductive(kernel="linear"), ridge),
    "the same, 300 landmarks": ("strings", Transductive(kernel="linear", landmarks=300), ridge),
    "linear, similarities to source rows alone": ("strings", OfTheSource(), ridge),
    "MiniLM": ("minilm", None, ridge),
    "MiniLM, CORAL": ("minilm", Coral(), ridge),
    "MiniLM, transductive, linear": ("minilm", Transductive(kernel="linear"), ridge),
    "MiniLM, similarities to source rows alone": ("minilm", OfTheSource(), ridge),
}


@cache
def backbone() -> Backbone:
    return load("bundled:minilm")


def features(texts: list[str]) -> dict[str, Array]:
    """All texts of one pair, as each way sees them: fitted on the texts of both tasks, and on no answer."""
    minilm = extract(texts, backbone(), Extraction(cache=Cache()))
    return {
        "words": TfidfVectorizer().fit_transform(texts).toarray(),
        "strings": StringKernel().fit_transform(texts),
        "minilm": np.asarray(minilm.values, np.float64),
    }


def run(source: str, target: str, seed: int, args: argparse.Namespace) -> dict[str, tuple[float, float]]:
    """Accuracy on the target, and seconds from features to answers, of each way."""
    texts, labels, domain = [], [], np.repeat([1, -1], [args.source, args.target])
    for name, count in ((source, args.source), (target, args.target)):
        given, answers, _ = sentences(name)
        for row in np.random.default_rng(seed).permutation(len(given))[:count]:
            texts.append(given[row])
            labels.append(answers[row])
    y, seen = np.array(labels), features(texts)
    found = {}
    for name, (form, step, head) in WAYS.items():
        X, began = seen[form], time.perf_counter()
        model = Adapted(step, head()).fit(X, y, sample_domain=domain)
        right = model.score(X[args.source :], y[args.source :])
        found[name] = (right, time.perf_counter() - began)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--source", type=int, default=500)
    parser.add_argument("--target", type=int, default=400)
    parser.add_argument("--each", action="store_true", help="print each pair as well")
    args = parser.parse_args()
    right, seconds = defaultdict(list), defaultdict(list)
    for pair in permutations(DOMAINS, 2):
        runs = [run(*pair, seed, args) for seed in range(args.seeds)]
        for name in WAYS:
            right[name].append(float(np.mean([one[name][0] for one in runs])))
            seconds[name] += [one[name][1] for one in runs]
        if args.each:
            sys.stdout.write(f"{' -> '.join(pair)}: " + ", ".join(f"{right[name][-1]:.3f}" for name in WAYS) + "\n")
            sys.stdout.flush()
    sys.stdout.write("| features and step | accuracy | over the features as they are | seconds |\n|---|--:|---|--:|\n")
    for name, values in right.items():
        plain = PLAIN[WAYS[name][0]]
        apart = np.array(values) - right[plain]
        half = stats.t.ppf(0.975, len(apart) - 1) * stats.sem(apart)
        gain = "" if name == plain else f"{apart.mean():+.3f} [{apart.mean() - half:+.3f}, {apart.mean() + half:+.3f}]"
        sys.stdout.write(f"| {name} | {np.mean(values):.3f} | {gain} | {np.median(seconds[name]):.1f} |\n")


if __name__ == "__main__":
    main()
