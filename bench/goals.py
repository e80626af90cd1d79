"""What the default reaches on real data, beside every fixed head and scikit-learn's cross-validated logistic one.

    python bench/goals.py [--quick] [--seeds 10] [--only TEXT] [--quotations FOLDER]

The goal of each set is the default's: balanced accuracy where the largest class has over three times the rows of the
smallest, else accuracy. Every head decides for that goal, as the default does, from probabilities that are settled out
of fold. scikit-learn: StandardScaler and LogisticRegressionCV over ten strengths and five folds, scored by the goal, as
it comes and with class_weight="balanced". Rows that are tested on are as the training rows in the shares of their
classes, and whole groups (reviews, films) are on one side.

topics      12 uneven topics, first sentences of SciPy's docstrings (MiniLM)
emoji       23 kinds of Twemoji, and 13 uneven ones (EfficientNet-Lite0)
sentences   of four domains, good or bad; tweets also: angry (one in twenty) or not (MiniLM)
films       film reviews (MiniLM)
digits      8 x 8 and MNIST's 28 x 28 pixels, as bare arrays
penguins    and cars by origin: four and five columns of numbers
quotations  12 uneven topics, with --quotations FOLDER: a file a topic, quotations parted by lines of "%"
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import default_head
import numpy as np
import pandas as pd
from material import rated_sentences
from scipy import stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.preprocessing import StandardScaler
from timing import QUICK, clock, option

from headstart.data.arrays import as_task
from headstart.data.goals import default_goal
from headstart.data.splits.split import folds
from headstart.features.feature_set import FeatureSet
from headstart.heads.head import HeadFit
from headstart.heads.select import fit_probe
from headstart.linalg.blas import one_thread
from headstart.tasks import CLASSIFICATION
from headstart.tasks.goal import Aim
from headstart.tasks.task import Array, Task

SEEDS = int(option("--seeds", "2" if QUICK else "10"))
FIXED = ("prototypes", "lda", "ridge", "logistic", "kernel", "trees")
WEIGHTED = ("ridge", "logistic", "kernel")
ALIKE = ", classes alike"
RIVALS = ("scikit-learn", "scikit-learn, balanced")
QUOTED = {
    "computers": 128, "science": 103, "people": 83, "work": 67, "politics": 54, "love": 43, "food": 35, "law": 28,
    "education": 23, "medicine": 18, "drugs": 15, "sports": 12,
}  # fmt: skip
UNEVEN = (30, 30, 28, 25, 22, 20, 16, 14, 10, 8, 6, 5, 4)
ANGRY = -2.2

Split = default_head.Split
Draw = Callable[[FeatureSet, int], Split]


class Set(NamedTuple):
    """Rows as a network sees them, and how some are drawn to learn from."""

    rows: Callable[[], FeatureSet]
    draw: Draw


def up_to(most: int) -> Draw:
    return lambda rows, seed: default_head.drawn(rows, seed, most)


def of_classes(rows: FeatureSet, sizes: dict[int, int], seed: int) -> Split:
    """So many rows of each class to learn from, and as many others, where there are, to be tested on."""
    rng, y = np.random.default_rng(seed), np.asarray(rows.task.targets)
    orders = {code: rng.permutation(np.flatnonzero(y == code)) for code in sizes}
    known = np.concatenate([orders[code][:size] for code, size in sizes.items()])
    asked = np.concatenate([orders[code][size : 2 * size] for code, size in sizes.items()])
    place = np.full(len(rows.task.classes), -1)
    place[list(sizes)] = np.arange(len(sizes))
    part, x = rows.take(known), np.asarray(rows.values)
    fold = folds(place[y[known]], CLASSIFICATION, part.blocks, part.keys, seed=seed)
    options = {"scale": "shared", "forms": ("plain", "root")}
    return Split(x[known], place[y[known]], fold, part.blocks, x[asked], place[y[asked]], len(sizes), options)


def uneven_emoji(rows: FeatureSet, seed: int) -> Split:
    kinds = np.random.default_rng(5).permutation(len(rows.task.classes))[: len(UNEVEN)]
    return of_classes(rows, dict(zip(kinds.tolist(), UNEVEN, strict=True)), seed)


def quoted(share: float) -> Draw:
    def draw(rows: FeatureSet, seed: int) -> Split:
        code = rows.task.classes.index
        return of_classes(rows, {code(name): max(2, round(size * share)) for name, size in QUOTED.items()}, seed)

    return draw


def quotations(folder: Path) -> Task:
    texts, labels = [], []
    for topic in QUOTED:
        parts = (folder / topic).read_text(encoding="utf-8", errors="replace").split("\n%\n")
        some = [" ".join(part.split()) for part in parts]
        some = [text for text in some if 20 < len(text) < 400]
        texts += some
        labels += [topic] * len(some)
    return as_task(texts, labels)


def angry() -> Task:
    rated = list(rated_sentences("tweets"))
    labels = ["angry" if rating < ANGRY else "other" for _, rating, _ in rated]
    return as_task([text for _, _, text in rated], labels, group=[review for review, _, _ in rated])


def cars() -> Task:
    from demo_data import _package

    frame = pd.read_csv(next(_package("bokeh_sampledata").rglob("auto-mpg.csv")))
    columns = [name for name in ("mpg", "displ", "hp", "weight", "accel") if name in frame]
    return as_task(frame[columns].to_numpy(np.float32), frame["origin"].astype(str).tolist(), kind="classification")


def sets() -> Iterator[tuple[str, Set]]:
    emoji = cache(default_head.emoji)
    yield "topics, 450", Set(_texts(default_head.topics), up_to(600))
    yield "emoji, 600", Set(emoji, up_to(600))
    yield "emoji, uneven, 218", Set(emoji, uneven_emoji)
    for domain in default_head.DOMAINS:
        yield f"{domain}, 200", Set(_texts(lambda domain=domain: default_head.rated(domain)), up_to(200))  # type: ignore[misc]
    yield "tweets, angry, 400", Set(_texts(angry), up_to(400))
    yield "films, 100", Set(_texts(default_head.films), up_to(100))
    yield "digits, 200", Set(lambda: default_head.seen(default_head.digits()), up_to(200))
    yield "MNIST, 300", Set(lambda: default_head.seen(default_head.mnist()), up_to(300))
    yield "penguins, 80", Set(lambda: default_head.seen(default_head.penguins()), up_to(80))
    yield "cars by origin, 120", Set(lambda: default_head.seen(cars()), up_to(120))
    if folder := option("--quotations", ""):
        quotes = cache(_texts(lambda: quotations(Path(folder))))
        yield "quotations, 600", Set(quotes, quoted(1.0))
        yield "quotations, 150", Set(quotes, quoted(0.25))


def _texts(made: Callable[[], Task]) -> Callable[[], FeatureSet]:
    return lambda: default_head.seen(made(), "bundled:minilm")


def answers(known: Split, aim: Aim, seed: int) -> Iterator[tuple[str, Array, float]]:
    """(who, codes that are answered to the rows to be tested on, seconds)."""
    own = known.options["scale"] == "each"
    options: dict[str, Any] = known.options | ({"scale": ("each", "shared")} if own else {})

    def fitted(heads: tuple[str, ...] | None, class_weight: Any = None) -> HeadFit:
        return fit_probe(
            known.x, known.y, kind=CLASSIFICATION, classes=known.classes, folds=known.folds, seed=seed, heads=heads,
            class_weight=class_weight, blocks=known.blocks, aim=aim, **options,
        )  # fmt: skip

    def said(name: str, fit: Callable[[], HeadFit]) -> tuple[str, Array, float]:
        took, fit_of = clock(fit)
        return name, fit_of.head.decide(fit_of.head.predict(known.asked)), took.wall

    yield said("default", lambda: fitted(None))
    for name in FIXED if own else FIXED[:-1]:
        yield said(name, lambda name=name: fitted((name,)))  # type: ignore[misc]
    for name in WEIGHTED:
        yield said(name + ALIKE, lambda name=name: fitted((name,), "balanced"))  # type: ignore[misc]
    scaled = StandardScaler().fit(known.x)
    for name, weight in zip(RIVALS, (None, "balanced"), strict=True):
        model = LogisticRegressionCV(Cs=10, cv=5, class_weight=weight, max_iter=300, scoring=aim.metric)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", (ConvergenceWarning, FutureWarning, UserWarning))
            took, fit = clock(lambda model=model: model.fit(scaled.transform(known.x), known.y))  # type: ignore[misc]
        yield name, fit.predict(scaled.transform(known.asked)), took.wall


def measured(task: Set) -> tuple[str, dict[str, Array], dict[str, float]]:
    """The goal, (S,) the score of each draw by who answers, and mean seconds."""
    rows, scores, seconds, metric = task.rows(), dict[str, list[float]](), dict[str, list[float]](), ""
    for seed in range(SEEDS):
        known = task.draw(rows, seed)
        metric = metric or default_goal(CLASSIFICATION, np.bincount(known.y, minlength=known.classes)).metric
        measure = balanced_accuracy_score if metric == "balanced_accuracy" else accuracy_score
        with one_thread():
            for name, codes, took in answers(known, Aim(metric), seed):
                scores.setdefault(name, []).append(float(measure(known.answers, codes)))
                seconds.setdefault(name, []).append(took)
    return (
        metric,
        {name: np.array(of) for name, of in scores.items()},
        {n: float(np.mean(s)) for n, s in seconds.items()},
    )


def half(values: Array) -> float:
    """Half the width of the 95 % interval of the mean (Student's t)."""
    return float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))


def main() -> None:
    only, below, beaten, lines = option("--only", ""), 0, 0, []
    for name, task in sets():
        if only not in name:
            continue
        metric, scores, seconds = measured(task)
        means = {who: float(of.mean()) for who, of in scores.items()}
        fixed = {who: mean for who, mean in means.items() if who not in ("default", *RIVALS)}
        best = max(fixed, key=lambda who: fixed[who])
        rival = max(RIVALS, key=lambda who: means[who])
        below += means["default"] < fixed[best] - 0.005
        beaten += means["default"] > means[rival]
        apart = half(scores["default"] - scores[best])
        lines.append(
            f"| {name} | {metric.replace('_', ' ')} | {means['default']:.3f} | {best} {fixed[best]:.3f} | "
            f"{means['default'] - fixed[best]:+.3f} ± {apart:.3f} | {means[RIVALS[0]]:.3f} | {means[RIVALS[1]]:.3f} | "
            f"{seconds['default']:.1f} | {sum(seconds[who] for who in RIVALS):.1f} |"
        )
        sys.stdout.write(lines[-1] + "\n")
        sys.stdout.write("    " + ", ".join(f"{who} {mean:.3f}" for who, mean in fixed.items()) + "\n")
        sys.stdout.flush()
    sys.stdout.write(
        f"{len(lines)} sets: {below} more than .005 below the best fixed head; better than both of scikit-learn's on "
        f"{beaten}\n"
    )


if __name__ == "__main__":
    main()
