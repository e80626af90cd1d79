"""Logits for every class and label."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from headstart.evidence.baselines.logits import label_logits, spread
from headstart.tasks import CLASSIFICATION, MULTILABEL


def test_a_class_that_was_not_seen_has_the_odds_of_half_a_row() -> None:
    found = softmax(spread(np.log([[0.25, 0.75]]), np.array([0, 2]), 3, rows=9), axis=1)
    assert found[0, 2] / found[0, 0] == pytest.approx(3)
    assert found[0, 1] / (found[0, 0] + found[0, 2]) == pytest.approx(0.5 / 10)


def test_where_all_are_seen_nothing_is_added() -> None:
    logits = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert (spread(logits, np.array([0, 1]), 2, rows=5) == logits).all()


def test_labels_are_asked_one_by_one() -> None:
    asked = []

    def one(codes: np.ndarray, classes: int) -> np.ndarray:
        asked.append((codes.tolist(), classes))
        return np.tile([0.0, float(codes.sum())], (2, 1))

    targets = np.array([[1, 0], [1, 1]], np.uint8)
    assert label_logits(targets, MULTILABEL, 2, one).tolist() == [[2.0, 1.0]] * 2
    assert asked == [([1, 1], 2), ([0, 1], 2)]
    assert label_logits(np.array([0, 1]), CLASSIFICATION, 2, one).tolist() == [[0.0, 1.0]] * 2
