"""Class by class against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from headstart.evidence.confusion import Mistake, class_scores, confusion, mistakes
from headstart.evidence.held_out import HeldOut
from headstart.tasks import CLASSIFICATION, MULTILABEL
from tests.evidence.conftest import a_held, guesses, labels_held, values_held


def test_class_scores_are_as_in_scikit_learn() -> None:
    held = a_held(60, 5)
    p = guesses(held.targets, 5, 1.0)
    expected = precision_recall_fscore_support(held.targets, p.argmax(axis=1), labels=range(5), zero_division=0)
    found = class_scores(held, p)
    assert [one.label for one in found] == list(held.classes)
    assert np.array([one[1:] for one in found]) == pytest.approx(np.transpose(expected))


def test_label_scores_are_as_in_scikit_learn() -> None:
    held = labels_held(60, 4)
    p = np.random.default_rng(0).random((60, 4))
    expected = precision_recall_fscore_support(held.targets, MULTILABEL.decide(p), zero_division=0)
    assert np.array([one[1:] for one in class_scores(held, p)]) == pytest.approx(np.transpose(expected))


def test_a_class_without_rows_or_answers_scores_zero() -> None:
    held = HeldOut(np.array([0, 0]), CLASSIFICATION, ("a", "b"))
    assert class_scores(held, np.array([[1.0, 0.0], [1.0, 0.0]]))[1] == ("b", 0, 0, 0, 0)


def test_the_matrix_and_its_mistakes() -> None:
    held = a_held(80, 4)
    p = guesses(held.targets, 4, 0.5)
    counts = confusion(held, p)
    assert counts.tolist() == confusion_matrix(held.targets, p.argmax(axis=1), labels=range(4)).tolist()
    found = mistakes(held, counts)
    assert sum(one.rows for one in found) <= 80
    assert [one.rows for one in found] == sorted((one.rows for one in found), reverse=True)
    worst = found[0]
    assert counts[held.classes.index(worst.truth), held.classes.index(worst.answer)] == worst.rows


def test_with_repeats_counts_are_means() -> None:
    held = HeldOut(np.array([0, 1]), CLASSIFICATION, ("a", "b"))
    right, wrong = np.eye(2), np.eye(2)[::-1]
    counts = confusion(held, np.stack([right, wrong]))
    assert counts.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert mistakes(held, counts, most=1) == (Mistake("a", "b", 0.5),)
    assert [one.recall for one in class_scores(held, np.stack([right, wrong]))] == [0.5, 0.5]


def test_nothing_is_wrong_with_right_answers_and_values_have_no_classes() -> None:
    held = HeldOut(np.array([0, 1]), CLASSIFICATION, ("a", "b"))
    assert mistakes(held, confusion(held, np.eye(2))) == ()
    assert class_scores(values_held(3), np.zeros(3)) == ()
    assert confusion(values_held(3), np.zeros(3)).size == 0
    assert confusion(labels_held(3, 2), np.zeros((3, 2))).size == 0
