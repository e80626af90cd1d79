"""What is drawn depends on the seed, the place and the row, and on nothing else."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headstart.training.augmentation import Anew, View, Views

small = st.integers(0, 40)


def numbers(draw, row):
    return tuple(draw.generator(row).random(4))


@given(small, small, small, small, st.integers(1, 9))
def test_the_same_place_draws_the_same_in_any_order(seed, stage, epoch, row, count):
    for make in (lambda: Anew(seed, stage, epoch), lambda: View(seed, stage), lambda: Views(seed, stage, epoch, count)):
        one, other = make(), make()
        other.generator(row + 1).random(7)
        assert numbers(one, row) == numbers(other, row) == numbers(one, np.int64(row))


@given(small, small, small, small, st.integers(1, 9))
def test_a_row_is_in_the_form_whose_number_was_drawn(seed, stage, epoch, row, count):
    views = Views(seed, stage, epoch, count)
    assert 0 <= views.number(row) < count
    assert numbers(views, row) == numbers(View(seed, views.number(row)), row)


def test_seeds_stages_epochs_and_rows_all_draw_otherwise():
    places = list(product(range(3), repeat=4))
    assert len({numbers(Anew(seed, stage, epoch), row) for seed, stage, epoch, row in places}) == len(places)
    places = list(product(range(4), repeat=3))
    assert len({numbers(View(seed, number), row) for seed, number, row in places}) == len(places)


def test_forms_are_drawn_evenly_anew_in_each_epoch_and_stage():
    drawn = np.array(
        [[Views(0, stage, epoch, 4).number(row) for row in range(200)] for stage, epoch in ((0, 0), (0, 1))]
    )
    share = np.bincount(drawn.ravel(), minlength=4) / drawn.size
    assert np.abs(share - 0.25).max() < 0.08
    assert 0.1 < (drawn[0] == drawn[1]).mean() < 0.4


def test_of_one_form_there_is_no_choice():
    assert {Views(3, 0, epoch, 1).number(5) for epoch in range(9)} == {0}
