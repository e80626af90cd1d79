"""Walking along a grid."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from headstart.heads.regularization_path import walk


class Fit(NamedTuple):
    loss: float
    near: int | None


def visitor(losses):
    positions = {}

    def visit(point, near):
        fit = Fit(losses[point], None if near is None else positions[id(near)])
        positions[id(fit)] = point
        visit.kept.append(fit)
        return fit

    visit.kept = []
    return visit


@given(st.integers(1, 12), st.data())
def test_one_valley_is_found_from_anywhere(count, data):
    bottom = data.draw(st.integers(0, count - 1))
    start = data.draw(st.integers(0, count - 1))
    best, fits = walk(visitor([float((point - bottom) ** 2) for point in range(count)]), count, start)
    assert best == bottom
    assert len(fits) <= abs(start - bottom) + 3


@given(st.lists(st.floats(0, 10), min_size=1, max_size=10), st.data())
def test_it_never_ends_above_where_it_began_and_starts_each_fit_from_a_neighbour(losses, data):
    start = data.draw(st.integers(0, len(losses) - 1))
    best, fits = walk(visitor(losses), len(losses), start)
    assert losses[best] == min(losses[point] for point in fits) <= losses[start]
    assert all(fit.near is None or abs(fit.near - point) == 1 for point, fit in fits.items())


def test_a_tie_stays_and_a_small_gain_is_not_worth_a_step():
    assert walk(visitor([1.0, 1.0, 1.0]), 3, 1)[0] == 1
    assert walk(visitor([0.995, 1.0, 1.0]), 3, 1, gain=0.01)[0] == 1
    assert walk(visitor([0.98, 1.0, 1.0]), 3, 1, gain=0.01)[0] == 0
