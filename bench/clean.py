"""How many wrong labels `headstart clean` finds, and how many of its suggestions are right.

    OMP_NUM_THREADS=1 python bench/clean.py [--seeds 5] [--share .05]

Twemoji of 23 subcategories (766 pictures, features of bundled:efficientnet-lite0): a share of the labels is changed to
another drawn at random, and the suggestions of a probe are compared with what was changed. Printed in Markdown, means
over seeds: precision (changed rows among those suspected), recall (suspected rows among those changed), and how many
suggested labels of changed rows are the true ones; beside what cleanlab's other filters make of the same out-of-fold
probabilities, and every answer that is wrong out of fold. A row that was suspected and not changed counts as an error,
though emoji of one subcategory are often as well of another. Then outliers: 10 digits and 10 crops of photographs among
the pictures.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from coverage_sets import strange
from material import emoji_folder

from headstart import Transfer, read
from headstart.data.arrays import as_task
from headstart.data.join import join
from headstart.features.feature_set import FeatureSet
from headstart.listener import SILENT
from headstart.methods.method import Data
from headstart.methods.table import row_of
from headstart.methods.uncertainty import calibration_of
from headstart.study.cleaning.protocol import suggestions_of

Array = np.ndarray[Any, Any]
FILTERS = ("prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given")


def flipped(rows: FeatureSet, share: float, seed: int) -> tuple[FeatureSet, Array]:
    """The rows with a share of labels changed, and which."""
    rng = np.random.default_rng(seed)
    true = np.asarray(rows.task.targets)
    changed = rng.permutation(len(true))[: round(share * len(true))]
    targets = true.copy()
    targets[changed] = (true[changed] + rng.integers(1, len(rows.task.classes), len(changed))) % len(rows.task.classes)
    return replace(rows, task=replace(rows.task, targets=targets)), np.sort(changed)


def quality(suspected: Array, changed: Array) -> dict[str, float]:
    right = len(np.intersect1d(suspected, changed))
    return {"suspected": len(suspected), "precision": right / max(1, len(suspected)), "recall": right / len(changed)}


def of_seed(rows: FeatureSet, transfer: Transfer, share: float, seed: int) -> list[dict[str, Any]]:
    noisy, changed = flipped(rows, share, seed)
    how = (transfer.extraction(), SILENT)
    suggested = suggestions_of(noisy, transfer.backbone_, transfer.plan, how).of("label error")
    places = {int(place): row for row, place in enumerate(rows.task.positions)}
    at = np.array([places[int(item.row or 0)] for item in suggested], dtype=int)
    true = {row: rows.task.classes[int(np.asarray(rows.task.targets)[row])] for row in changed.tolist()}
    scores = np.array([item.score for item in suggested])
    results: list[dict[str, Any]] = []
    for least in (0.0, 0.5, 0.7, 0.8, 0.9, 0.95):
        sure = scores >= least
        right = [
            item.suggestion == true[row]
            for item, row in zip(suggested, at.tolist(), strict=True)
            if row in true and (item.score or 0) >= least
        ]
        name = "headstart clean" + (f", score from {least}" if least else "")
        results.append({"by": name, **quality(at[sure], changed), "corrected": np.mean(right)})
    results.append({"by": "headstart clean, the first as many as were changed", **quality(at[: len(changed)], changed)})
    fitted = row_of(transfer.plan).fit(transfer.plan, Data(noisy, transfer.backbone_, how))
    calibration = calibration_of(fitted, noisy)
    assert calibration is not None
    for name in FILTERS:
        issues = find_label_issues(calibration.targets, calibration.predictions, filter_by=name, n_jobs=1)
        results.append({"by": f"cleanlab, {name}", **quality(np.flatnonzero(issues), changed)})
    return results


def outliers(folder: str, transfer: Transfer) -> dict[str, float]:
    """Of 20 pictures of something else among the emoji."""
    task = read(folder)
    others = [picture for pictures in strange().values() for picture in pictures[:10]]
    some = as_task(others, [task.classes[number % len(task.classes)] for number in range(len(others))])
    rows = transfer.look(join(task, some), listener=SILENT)
    how = (transfer.extraction(), SILENT)
    rows = replace(rows, task=replace(rows.task, split=None))
    suggested = suggestions_of(rows, transfer.backbone_, transfer.plan, how).of("outlier")
    return quality(np.array([item.row for item in suggested]), np.arange(len(task), len(task) + len(others)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--share", type=float, default=0.05)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        emoji = str(emoji_folder(Path(folder) / "emoji"))
        transfer = Transfer("bundled:efficientnet-lite0", engine="torch")
        rows = transfer.look(read(emoji), listener=SILENT)
        results = [each for seed in range(chosen.seeds) for each in of_seed(rows, transfer, chosen.share, seed)]
        means = pd.DataFrame(results).groupby("by", sort=False).mean()
        print("| by | suspected | precision | recall | corrected |\n|---|--:|--:|--:|--:|")
        for name, row in means.iterrows():
            cells = (f"{row['suspected']:.0f}", *(f"{row[key]:.2f}" for key in ("precision", "recall", "corrected")))
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        print("outliers:", {name: round(value, 2) for name, value in outliers(emoji, transfer).items()})


if __name__ == "__main__":
    sys.exit(main())
