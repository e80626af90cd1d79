"""Several kinds side by side: each part as its kind alone, and what is not known as not known."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.side_by_side import side_by_side

KIND = side_by_side([("a", CLASSIFICATION, ("x", "y", "z")), ("b", REGRESSION, ()), ("c", MULTILABEL, ("p", "q"))])
CODES, VALUES = np.array([0, 2, -1, 1]), np.array([1.5, np.nan, 2.0, 3.0])
LABELS = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], np.uint8)
KNOWN = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 1], [1, 1, 0]], bool)
TARGETS = KIND.joined([CODES, VALUES, LABELS], KNOWN)


def test_columns_of_targets_and_logits():
    assert (TARGETS.shape, KIND.outputs(0)) == ((4, 4), 6)
    assert [part.outputs for part in KIND.parts] == [slice(0, 3), slice(3, 4), slice(4, 6)]
    np.testing.assert_array_equal(KIND.known_apart(TARGETS), KNOWN)
    assert KIND.known(np.full((1, 4), np.nan)).tolist() == [False]
    assert np.isnan(KIND.unknown((2, 4), np.float64)).all()


def test_each_part_loses_what_its_kind_does():
    logits = torch.randn(4, 6, dtype=torch.float64)
    filled = torch.from_numpy(np.nan_to_num(TARGETS))
    each = KIND.row_losses(logits, filled, label_smoothing=0.1)
    assert each.shape == (4, 3)
    rows = [0, 1, 3]
    own = CLASSIFICATION.row_losses(logits[rows, :3], torch.from_numpy(CODES[rows]), label_smoothing=0.1)
    torch.testing.assert_close(each[rows, 0], own)
    own = MULTILABEL.row_losses(logits[:3, 4:], torch.from_numpy(LABELS[:3]), label_smoothing=0.0)
    torch.testing.assert_close(each[:3, 2], own.double())
    assert float(each[0, 1]) == pytest.approx((float(logits[0, 3]) - 1.5) ** 2, rel=1e-6)


def test_strata_of_parts_are_numbered_apart_and_only_of_known_rows():
    rows, strata = KIND.strata(TARGETS)
    pairs = sorted(zip(rows.tolist(), strata.tolist(), strict=True))
    assert pairs == [(0, 0), (0, 3), (0, 4), (1, 2), (1, 5), (2, 3), (2, 4), (2, 5), (3, 1), (3, 3)]


def test_answers_of_all_parts():
    logits = np.random.default_rng(0).normal(size=(4, 6))
    predictions = KIND.probabilities(logits, 1.0)
    assert predictions.shape == KIND.shape(4, 0) == (4, 6)
    decided = KIND.decide(predictions)
    np.testing.assert_array_equal(decided[:, 0], logits[:, :3].argmax(1))
    np.testing.assert_array_equal(decided[:, 1], logits[:, 3])
    assert KIND.in_words(TARGETS[1], ()) == {"a": "z", "b": None, "c": ["q"]}
    assert KIND.constant(TARGETS, 0, 2).shape == (2, 6)
    assert KIND.constant(TARGETS, 0, 2)[0, 3] == pytest.approx(np.nanmean(VALUES[[0, 2, 3]]))
    assert KIND.truth(np.nan_to_num(TARGETS), 0).shape == (4, 6)
    assert KIND.task("table rows", 0).startswith("a: sorts table rows into 3 classes; b: predicts a number")


def test_a_copy_has_the_same_parts():
    assert copy.deepcopy(KIND).parts == KIND.parts


def test_a_part_that_has_nothing_to_learn_is_named():
    np.testing.assert_array_equal(KIND.checked(TARGETS, 0), TARGETS)
    with pytest.raises(ValueError, match="target 'b' is not known in any row: leave it out"):
        KIND.checked(np.where(np.arange(4) == 1, np.nan, TARGETS), 0)
    with pytest.raises(ValueError, match="target 'a': all 3 rows are of one class"):
        KIND.checked(np.where((np.arange(4) == 0) & ~np.isnan(TARGETS), 1.0, TARGETS), 0)
    with pytest.raises(ValueError, match="several kinds side by side need at least one"):
        side_by_side([])
