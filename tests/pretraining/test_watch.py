"""Which embeddings have collapsed, and which rows are looked at."""

from __future__ import annotations

import numpy as np

from headstart.pretraining.watch import MOST, Health, collapse_of, watched

START = Health(rank=40.0, alignment=0.2, uniformity=-2.0, spread=0.8, neighbours=float("nan"))


def test_one_point_and_few_directions_are_collapse_and_less_is_not():
    assert collapse_of(START, START) == ""
    assert collapse_of(START._replace(rank=8.0, spread=0.1), START) == ""
    assert collapse_of(START._replace(spread=1e-5), START).startswith("all embeddings are nearly one point: their mean")
    words = "the embeddings lie in 2.0 directions, and lay in 40.0 at the start"
    assert collapse_of(START._replace(rank=2.0), START) == words


def test_random_weights_whose_embeddings_lie_near_each_other_are_not_taken_for_collapsed():
    start = START._replace(spread=2e-4, rank=3.0)
    assert collapse_of(start, start) == ""
    assert collapse_of(start._replace(spread=1e-6), start) != ""


def test_labelled_rows_are_looked_at_where_there_are_any_and_at_most_so_many():
    assert watched(9, None, 0).tolist() == list(range(9))
    assert watched(9, np.array([2, 7]), 0).tolist() == [2, 7]
    rows = watched(4 * MOST, None, 0)
    assert len(np.unique(rows)) == MOST
    assert rows.tolist() == watched(4 * MOST, None, 0).tolist() != watched(4 * MOST, None, 1).tolist()
