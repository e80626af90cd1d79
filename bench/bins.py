"""Boosted trees on weighted rows: columns put into bins first against scikit-learn binning them itself.

    python bench/bins.py [--quick]

One fit of 100 small trees to rows of 64 columns whose classes count alike, from the numbers as they are and from the
numbers of their bins, whose time counts; then the share of rows on which both answer the same class.
"""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from timing import QUICK, clock, load_average, median

from headstart.heads.bins import edges_of, in_bins

BINS = 64


def main() -> None:
    load_average()
    for rows in (200, 2_000) if QUICK else (200, 2_000, 20_000):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(rows, 64)).astype(np.float32)
        y = (x[:, 0] * x[:, 1] > 0.5).astype(int)
        weights = (len(y) / (2 * np.bincount(y)))[y]

        def grown(x: np.ndarray, y: np.ndarray = y, weights: np.ndarray = weights) -> np.ndarray:
            model = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=8, max_bins=BINS, early_stopping=False)
            return np.asarray(model.fit(x, y, sample_weight=weights).predict(x))

        def binned(x: np.ndarray = x) -> np.ndarray:
            return in_bins(x, edges_of(x, BINS))

        plain = median([clock(lambda x=x: grown(x))[0] for _ in range(3)])
        ours = median([clock(lambda: grown(binned()))[0] for _ in range(3)])
        alike = float(np.mean(grown(x) == grown(binned())))
        times = f"as they are {plain.cpu:.2f} s, in bins {ours.cpu:.2f} s, {plain.cpu / ours.cpu:.1f} times as fast"
        print(f"{rows} rows: {times}; alike {alike:.3f}")


if __name__ == "__main__":
    main()
