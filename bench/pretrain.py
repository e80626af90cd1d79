"""What is pretraining on one's own unlabelled data worth? Real pictures and sentences, few labels, several draws.

    python bench/pretrain.py pictures --labels 10 --seeds 5 --epochs 10 --methods simclr vicreg
    python bench/pretrain.py text --labels 100 --seeds 5 --rows 4000 --methods mlm simcse

Prints a table in Markdown: the mean score over the draws of labelled rows, the mean paired difference to the backbone
that was begun from with its 95 % interval (Student's t over the draws), and the seconds of the pretraining, which is
done once. Pictures: all Twemoji without labels, those that are tested on among them, then balanced accuracy on the
twelve largest subcategories, from random weights and going on from EfficientNet-Lite0. Text: sentences of three domains
without labels, then accuracy on review sentences of the fourth, going on from MiniLM.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from material import DOMAINS, rated_sentences
from scipy import stats
from sklearn.metrics import balanced_accuracy_score
from tuning import drawn, pictures, sentences

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
from demo_data import emoji_folder

from headstart import Transfer, pretrain

TWELFTH = 34
"""Pictures of the twelfth largest subcategory."""
SCRATCH, LITE0, MINILM = "timm:resnet18?weights=random", "bundled:efficientnet-lite0", "bundled:minilm"
TARGET = "amazon"


class Question(NamedTuple):
    """Inputs, labels and groups of the task at hand; how many rows are learnt from, of each class or in all."""

    inputs: list[str]
    labels: list[str]
    groups: list[int]
    count: int
    each: bool

    def scores(self, backbone: str, seeds: int) -> np.ndarray:
        """(S,) of a logistic head on frozen features, by draw."""
        found = []
        for seed in range(seeds):
            train, test = drawn(self.labels, self.groups, self.count, seed, self.each)
            model = Transfer(backbone, "logistic", engine="torch")
            model.fit([self.inputs[i] for i in train], [self.labels[i] for i in train])
            answers = model.predict([self.inputs[i] for i in test])
            truth = [self.labels[i] for i in test]
            found.append(balanced_accuracy_score(truth, answers) if self.each else np.mean(answers == np.array(truth)))
        return np.array(found)


def interval(differences: np.ndarray) -> str:
    """Mean and 95 % interval over the draws."""
    mean, error = differences.mean(), stats.sem(differences)
    half = stats.t.ppf(0.975, len(differences) - 1) * error
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"


def trials(args: argparse.Namespace, folder: Path) -> tuple[Question, Any, list[tuple[str, dict[str, Any]]]]:
    """The task at hand, data without labels, and what is begun from, with the options of its pretraining."""
    if args.task == "pictures":
        question = Question(*pictures(folder / "labelled", TWELFTH), args.labels, True)
        options = {"size": args.size, "epochs": args.epochs}
        unlabelled = emoji_folder(folder / "all", at_least=1, at_most=10_000)
        return question, unlabelled, [(start, options) for start in args.starts or (SCRATCH, LITE0)]
    texts = [text for domain in DOMAINS if domain != TARGET for _, _, text in rated_sentences(domain)]
    some = np.random.default_rng(0).permutation(len(texts))[: args.rows]
    question = Question(*sentences(TARGET), args.labels, False)
    return question, [texts[i] for i in some], [(MINILM, {"epochs": args.epochs})]


def rows(args: argparse.Namespace, folder: Path) -> Iterator[str]:
    """Of the table."""
    question, unlabelled, starts = trials(args, folder)
    each = " a class" if question.each else ""
    yield f"| {args.task}, {args.labels} labels{each} | score | over its start | seconds |"
    yield "|---|--:|--:|--:|"
    for start, options in starts:
        before = question.scores(start, args.seeds)
        yield f"| {start} | {before.mean():.3f} | | |"
        for method in args.methods:
            out, began = folder / f"{method}-{start.partition(':')[2].partition('?')[0]}", time.perf_counter()
            pretrain(unlabelled, backbone=start, method=method, out=out, options=options)
            seconds = time.perf_counter() - began
            after = question.scores(f"file:{out}", args.seeds)
            yield f"| + {method}, {options} | {after.mean():.3f} | {interval(after - before)} | {seconds:.0f} |"


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("task", choices=["pictures", "text"], nargs="?", default="pictures")
    parser.add_argument("--labels", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--starts", nargs="+", help="of pictures: backbones to go on from, in place of the two")
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--methods", nargs="+", default=["simclr"])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for line in rows(args, Path(folder)):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
