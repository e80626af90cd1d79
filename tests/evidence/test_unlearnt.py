"""Scores over rows of classes that the model has not learnt, beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, log_loss

from headstart.evidence.evidence import of_answers
from headstart.evidence.held_out import HeldOut
from headstart.tasks import CLASSIFICATION, MULTILABEL


def chances(rows, classes, seed):
    return np.random.default_rng(seed).dirichlet(np.ones(classes), rows)


@given(st.lists(st.integers(0, 3), min_size=4, max_size=30), st.integers(0, 9))
def test_every_score_is_scikit_learns_of_all_classes(codes, seed):
    targets = np.array([0, 1, 2, *codes])
    given = chances(len(targets), 2, seed)
    evidence = of_answers(HeldOut(targets, CLASSIFICATION, ("a", "b", "c", "d"), learnt=2), given, {})
    answers, padded = given.argmax(axis=1), np.pad(given, ((0, 0), (0, 2)))
    expected = {
        "accuracy": accuracy_score(targets, answers),
        "balanced_accuracy": balanced_accuracy_score(targets, answers),
        "macro_f1": f1_score(targets, answers, average="macro"),
        "log_loss": log_loss(targets, padded, labels=[0, 1, 2, 3]),
    }
    found = {metric: evidence.metrics[metric].value for metric in expected}
    assert found == pytest.approx(expected, abs=1e-6)
    known = targets < 2
    facts = evidence.facts.unlearnt
    assert (facts.rows, facts.of) == (int((~known).sum()), len(targets))
    assert facts.labels == {"c": int((targets == 2).sum()), "d": int((targets == 3).sum())}
    assert facts.scores_without["accuracy"] == pytest.approx(accuracy_score(targets[known], answers[known]))
    assert {one.label: one.recall for one in evidence.classes} | {"c": 0, "d": 0} == {
        one.label: one.recall for one in evidence.classes
    }


def test_several_labels_a_row_are_wrong_where_one_is_unlearnt():
    targets = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1]])
    answers = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.2]])
    evidence = of_answers(HeldOut(targets, MULTILABEL, ("a", "b", "c"), learnt=2), answers, {})
    assert evidence.metrics["accuracy"].value == pytest.approx(1 / 3)
    assert evidence.metrics["macro_f1"].value == pytest.approx(2 / 3)
    assert evidence.facts.unlearnt.scores_without["accuracy"] == 1
    assert "2 of 3 rows to test on have classes that the model did not learn: 'c'" in evidence.notes[0]


def test_nothing_but_unlearnt_rows_has_no_scores_without_them():
    evidence = of_answers(HeldOut(np.array([2, 2]), CLASSIFICATION, ("a", "b", "c"), learnt=2), chances(2, 2, 0), {})
    assert (evidence.metrics["accuracy"].value, evidence.facts.unlearnt.scores_without) == (0, None)
