"""How often sets and intervals hold the truth on real data, how large they are, and how often the flag is wrong.

    OMP_NUM_THREADS=1 python bench/coverage_sets.py [--splits 50] [--only WORD] [--method probe]

Each data set is split 50 times at random into rows to learn from and rows to test on (a quarter; blocks of duplicates
on one side). A `probe`, or another method, is fitted to the former as `Transfer.fit` does it, and its out-of-fold
answers set the thresholds. Printed in Markdown, means over the splits with their standard errors: accuracy (or R2),
coverage for .8, .9 and .95, classes of a set of .9 (or its width), the share that is answered at an accuracy of .95 and
the accuracy of it, and the share of test rows that is flagged at a rate of .01 and of .05; below, the latter as means
over blocks, which count once each. Twemoji also: AUROC of the distance against digits (`load_digits`) and crops of
photographs (`load_sample_images`).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from curve_data import TASKS
from material import emoji_folder
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images
from sklearn.metrics import r2_score, roc_auc_score

from headstart import Transfer, read
from headstart.data.arrays import as_task
from headstart.features.feature_set import FeatureSet, look_again
from headstart.listener import SILENT
from headstart.methods.answers import answer, features
from headstart.methods.doubts import conformity_stored, distribution_stored
from headstart.methods.method import Data
from headstart.methods.model import model_of
from headstart.methods.table import row_of
from headstart.methods.uncertainty import Calibration, calibration_of, uncertainty_of
from headstart.uncertainty.selective import confidence_threshold

Array = np.ndarray[Any, Any]
COVERAGES, RATES = (0.8, 0.9, 0.95), (0.01, 0.05)
OF_ROWS = (
    "score", "covered .8", "covered .9", "covered .95", "size", "answered", "right", "flagged .01", "flagged .05",
)  # fmt: skip


def data_sets(folder: Path) -> Iterator[tuple[str, Any, str | None]]:
    """(name, data, backbone)."""
    yield "Twemoji, 23 classes", str(emoji_folder(folder / "emoji")), "bundled:efficientnet-lite0"
    yield "Amazon sentences, 2 classes", TASKS["sentences, amazon"](), "bundled:minilm"
    yield "Titanic, 2 classes", TASKS["Titanic"](), None
    yield "auto-mpg, miles a gallon", TASKS["auto-mpg"](), None


def strange() -> dict[str, list[Image.Image]]:
    """Pictures of something else."""
    rng = np.random.default_rng(0)
    digits = [Image.fromarray((16 * image).clip(0, 255).astype(np.uint8)) for image in load_digits().images[:300]]
    crops = []
    for number in range(300):
        photograph = load_sample_images().images[number % 2]
        side = int(rng.integers(72, 300))
        top, left = (int(rng.integers(0, length - side)) for length in photograph.shape[:2])
        crops.append(Image.fromarray(photograph[top : top + side, left : left + side]))
    return {"digits": [digit.resize((72, 72)).convert("RGB") for digit in digits], "photographs": crops}


def halves(rows: FeatureSet, seed: int) -> tuple[Array, Array]:
    """Rows to learn from, and a quarter of the blocks to test on."""
    drawn = np.random.default_rng(seed).permutation(np.unique(rows.blocks))
    test = np.isin(rows.blocks, drawn[: len(drawn) // 4])
    return np.flatnonzero(~test), np.flatnonzero(test)


def measured(rows: FeatureSet, transfer: Transfer, seed: int, others: dict[str, FeatureSet]) -> dict[str, float]:
    train, test = halves(rows, seed)
    learnt = rows.take(train)
    how = (transfer.extraction(), SILENT)
    fitted = row_of(transfer.plan).fit(transfer.plan, Data(learnt, transfer.backbone_, how))
    model = model_of(fitted, transfer.plan, learnt, classes=rows.task.classes, columns=rows.task.columns)
    moved = fitted.backbone is not transfer.backbone_
    model = replace(model, uncertainty=uncertainty_of(fitted, learnt, moved=moved))
    new, scores = rows.take(test), conformity_stored(model)
    if moved:
        new = look_again(new, fitted.backbone, transfer.extraction())
    values, targets = answer(model, new), np.asarray(new.task.targets)
    result: dict[str, float] = {}
    every = np.arange(len(targets))
    for coverage in COVERAGES:
        name = f"covered {str(coverage)[1:]}"
        if model.kind.has_classes:
            sets = scores.sets(values, coverage)
            result[name] = float(sets[every, targets].mean())
            size = float(sets.sum(axis=1).mean())
        else:
            low, high = scores.intervals(values, coverage).T
            result[name] = float(((low <= targets) & (targets <= high)).mean())
            size = float((high - low).mean())
        if coverage == 0.9:
            result["size"] = size
    if model.kind.has_classes:
        result["score"] = float((values.argmax(axis=1) == targets).mean())
        result |= selective(calibration_of(fitted, learnt), values, targets)
    else:
        result["score"] = float(r2_score(targets, values))
    if moved:
        return result  # nothing says what is strange to it
    distribution = distribution_stored(model)
    where = np.asarray(features(model, new))
    for rate in RATES:
        flags = pd.Series(distribution.flags(where, rate))
        result[f"flagged {str(rate)[1:]}"] = float(flags.mean())
        result[f"flagged {str(rate)[1:]} by blocks"] = float(flags.groupby(new.blocks).mean().mean())
    usual = distribution.distance(where)
    for name, other in others.items():
        far = distribution.distance(np.asarray(other.values))
        truth = np.repeat([0, 1], [len(usual), len(far)])
        result[f"AUROC {name}"] = float(roc_auc_score(truth, np.concatenate([usual, far])))
        for rate in RATES:
            result[f"{name} flagged {str(rate)[1:]}"] = float((far > distribution.limit(rate)).mean())
    return result


def selective(calibration: Calibration | None, values: Array, targets: Array) -> dict[str, float]:
    """The share that is answered so that .95 are right, and how many are."""
    assert calibration is not None
    limit = confidence_threshold(
        calibration.predictions.max(axis=1), calibration.predictions.argmax(axis=1) == calibration.targets, 0.95
    )
    sure = values.max(axis=1) >= limit
    right = values.argmax(axis=1) == targets
    return {"answered": float(sure.mean()), "right": float(right[sure].mean()) if sure.any() else np.nan}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--splits", type=int, default=50)
    parser.add_argument("--only", default="")
    parser.add_argument("--method", default="probe")
    chosen = parser.parse_args()
    print("| data | rows | " + " | ".join(OF_ROWS) + " |")
    print("|---" * (len(OF_ROWS) + 2) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for name, data, backbone in data_sets(Path(folder)):
            if chosen.only.lower() not in name.lower():
                continue
            task = read(data) if isinstance(data, str) else data
            transfer = Transfer(backbone, chosen.method, kind=str(task.kind), engine="torch")
            rows = transfer.look(task, listener=SILENT)
            others = {}
            if task.modality.has_pixels:
                others = {
                    kind: transfer.look(as_task(pictures), listener=SILENT) for kind, pictures in strange().items()
                }
            results = pd.DataFrame([measured(rows, transfer, seed, others) for seed in range(chosen.splits)])
            means, errors = results.mean(), results.sem()
            cells = [f"{means[key]:.3f} ± {errors[key]:.3f}" if key in means else "" for key in OF_ROWS]
            print(f"| {name} | {len(rows)} | " + " | ".join(cells) + " |", flush=True)
            for key in means.index.difference(OF_ROWS):
                print(f"{name}: {key} {means[key]:.4f} (least {results[key].min():.4f})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
