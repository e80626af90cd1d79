"""Strips, axes, reliability and maps."""

from __future__ import annotations

import math

import pytest
from html_pages import tree_of

from headstart.drawing.intervals import axis_of, foot, strip
from headstart.drawing.reliability import reliability_diagram
from headstart.drawing.scale import ticks
from headstart.drawing.scatter import COLOURS, scatter
from headstart.drawing.svg import element, safe


@pytest.mark.parametrize(
    ("low", "high", "round_numbers"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-0.3, 0.7, [-0.2, 0, 0.2, 0.4, 0.6]), (12, 97, [20, 40, 60, 80])],
)
def test_ticks_are_round_and_inside(low, high, round_numbers):
    assert ticks(low, high) == pytest.approx(round_numbers)


def test_ticks_of_no_range():
    assert ticks(1, 1) == [1]
    assert ticks(0, math.inf) == [0]


def test_a_strip_is_where_its_numbers_are():
    axis = axis_of([0.2, 0.1, 0.3, 0.8, 0.7, 0.9])
    tree = tree_of(strip(axis, 0.5, 0.4, 0.6, ours=True))
    low, high = (float(tree.find_all("line")[-1][end].rstrip("%")) for end in ("x1", "x2"))
    middle = float(tree.circle["cx"].rstrip("%"))
    wide = axis.high - axis.low
    assert [low, middle, high] == pytest.approx(
        [100 * (value - axis.low) / wide for value in (0.4, 0.5, 0.6)], abs=0.01
    )
    assert axis.low < 0.1 < 0.9 < axis.high


def test_what_is_not_known_is_not_drawn():
    axis = axis_of([0.2, math.nan])
    assert tree_of(strip(axis, math.nan, math.nan, math.nan, ours=False)).circle is None
    assert axis_of([math.nan]).ticks == (0.0, 0.5, 1.0)


def test_one_value_far_below_does_not_flatten_the_others():
    axis = axis_of([-40.0, 0.3, 0.5, 0.6, 0.7])
    assert axis.low > -2
    assert axis.place(-40.0) == 0


def test_the_foot_has_a_label_a_tick():
    axis = axis_of([0, 1])
    labels = [f"{tick:g}" for tick in axis.ticks]
    assert [tag.text for tag in tree_of(foot(axis, labels)).find_all("text")] == labels


def test_a_reliability_diagram_has_a_dot_a_bin_larger_for_more_rows():
    plot = reliability_diagram([0.3, 0.9], [0.2, 1.0], [1, 100], "t", "d", ("sure", "right"))
    first, second = tree_of(plot).find_all("circle")
    assert float(second["r"]) > 3 * float(first["r"])
    assert float(second["cx"]) > float(first["cx"])
    assert float(second["cy"]) < float(first["cy"])


def test_a_map_has_a_dot_a_row_in_its_colour_and_a_cross_a_mistake():
    plot = scatter([0, 500, 1000, 10], [0, 500, 1000, 20], [0, 1, 1, -1], [0, 1, 2, 2], "t", "d")
    paths = tree_of(plot).find_all("path")
    assert sum(path["d"].count("h0") for path in paths) == 4
    assert sum(path["d"].count("l8 8") for path in paths) == 2
    coloured = {colour: path["d"].count("h0") for path in paths for colour in COLOURS if colour in path["style"]}
    assert coloured == {COLOURS[0]: 1, COLOURS[1]: 2}


def test_text_and_attributes_are_escaped_and_cut():
    assert safe('<a href="x">\u202e') == "&lt;a href=&quot;x&quot;&gt;\\u202e"
    assert len(safe("x" * 10_000)) == 200
    assert element("text", safe("<"), x=1.25, font_size='"') == '<text x="1.25" font-size="&quot;">&lt;</text>'
