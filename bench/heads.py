"""The cross-validated probe on 1,000 x 1,280 features of 10 classes against scikit-learn's logistic regression.

    python bench/heads.py [--quick]

scikit-learn: LogisticRegressionCV over the same five folds and ten strengths, chosen by log loss, on standardised
features, in float64 with its own threads and in float32 on one thread, the faster way. Ours: ridge and logistic, plain
features and their square roots, the choice among them, and the temperature.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from timing import QUICK, Took, clock, load_average, median, two_ratios

from headstart.heads.select import fit_probe
from headstart.tasks import CLASSIFICATION
from headstart.tasks.task import Array

STRENGTHS = 10.0 ** -(2 * np.arange(10) / 3 - 3)


def material(rows: int, width: int, classes: int) -> tuple[Array, Array]:
    """Non-negative correlated features, as a network gives them after its last ReLU and pooling."""
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % classes
    hidden = rng.normal(size=(rows, 64)) + 0.7 * rng.normal(size=(classes, 64))[labels]
    features = np.maximum(hidden @ rng.normal(size=(64, width)) / 8 + 0.5 * rng.normal(size=(rows, width)), 0)
    return features.astype(np.float32), labels


def sklearn(features: Array, labels: Array, folds: Array, dtype: str) -> float:
    """The training accuracy, so that nothing is left out as unused."""
    halves = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(5)]
    grid = LogisticRegressionCV(
        Cs=STRENGTHS, cv=halves, scoring="neg_log_loss", max_iter=1000, l1_ratios=(0.0,), use_legacy_attributes=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make_pipeline(StandardScaler(), grid).fit(features.astype(dtype), labels)
    return float(model.score(features.astype(dtype), labels))


def main() -> None:
    rows, width = (300, 128) if QUICK else (1000, 1280)
    features, labels = material(rows + 1000, width, 10)
    x, y, asked, answers = features[:rows], labels[:rows], features[rows:], labels[rows:]
    folds = np.random.default_rng(1).permutation(rows) % 5
    load_average()

    def probe() -> Array:
        return fit_probe(x, y, kind=CLASSIFICATION, classes=10, folds=folds, forms=("plain", "root"))

    ours: list[Took] = []
    for _ in range(3):
        took, fit = clock(probe)
        ours.append(took)
    sys.stdout.write(
        f"ours: {fit.head.name}, test accuracy {np.mean(fit.head.predict(asked).argmax(1) == answers):.3f}\n"
    )
    with threadpool_limits(1):
        single, _ = clock(lambda: sklearn(x, y, folds, "float32"))
    two_ratios("ours / scikit-learn, float32 on one thread", median(ours), single, "(none)")
    default, _ = clock(lambda: sklearn(x, y, folds, "float64"))
    two_ratios("ours / scikit-learn, float64, its own threads", median(ours), default, "(none)")


if __name__ == "__main__":
    main()
