"""Answers of trials, put together."""

from __future__ import annotations

import numpy as np

from headstart.study.resampling import Trial, Trials


def test_a_single_split_answers_its_test_rows():
    trials = Trials((Trial(0, np.array([0, 2]), np.array([1, 3])),), np.array([1, 3]), "one split")
    assert trials.held_out
    assert trials.joined([trial.test * 10.0 for trial in trials.trials]).tolist() == [[10, 30]]


def test_repeats_become_layers_in_the_order_of_rows():
    halves = np.array([3, 1]), np.array([0, 2])
    parts = [Trial(repeat, halves[1 - i], halves[i]) for repeat in (0, 1) for i in (0, 1)]
    trials = Trials(tuple(parts), np.arange(4), "twofold")
    assert (trials.held_out, trials.repeats) == (False, 2)
    answers = trials.joined([np.stack([trial.test, -trial.test], axis=1) for trial in parts])
    assert answers.shape == (2, 4, 2)
    assert answers[1, :, 0].tolist() == [0, 1, 2, 3]
