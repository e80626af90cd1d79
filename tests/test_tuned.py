"""Which rows say when to stop."""

from __future__ import annotations

import numpy as np

from headstart.tuned import _most_alike


def test_the_fold_most_like_the_whole_is_held_out():
    targets = np.array([0, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1])
    fold = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    assert _most_alike(targets, fold, "classification") == 1
    assert _most_alike(targets * 3.0, fold, "regression") == 1
    assert _most_alike(np.stack([targets, 1 - targets], axis=1), fold, "multilabel") == 1
