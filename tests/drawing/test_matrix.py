"""The order of a confusion matrix, and what is drawn of it."""

from __future__ import annotations

import numpy as np
import pytest
from html_pages import tree_of

from headstart.drawing.matrix import matrix, order_of


def spread(counts, order):
    """How far confusions lie from the diagonal: the sum of counts times squared distance."""
    place = np.argsort(order)
    return float((counts * (place[:, None] - place[None, :]) ** 2).sum())


@pytest.mark.parametrize("seed", range(5))
def test_a_chain_of_confusions_is_put_back_in_line(seed):
    """A band matrix has one order, up to its direction, in which all confusions are beside the diagonal."""
    size = 40
    band = np.diag(np.full(size - 1, 3.0), 1) + np.diag(np.full(size - 1, 1.0), -1)
    shuffled = np.random.default_rng(seed).permutation(size)
    order = order_of(band[np.ix_(shuffled, shuffled)])
    recovered = shuffled[order]
    assert recovered.tolist() in (list(range(size)), list(range(size))[::-1])


def test_blocks_are_together_and_noise_is_no_farther_than_by_chance():
    rng = np.random.default_rng(0)
    block = rng.permutation(np.repeat(np.arange(5), 6))
    counts = rng.poisson(np.where(block[:, None] == block, 4.0, 0.05)).astype(float)
    order = order_of(counts)
    assert sorted(order) == list(range(30))
    changes = int((np.diff(block[order]) != 0).sum())
    assert changes == 4
    by_chance = np.mean([spread(counts, rng.permutation(30)) for _ in range(200)])
    assert spread(counts, order) < by_chance / 2


def test_what_no_confusion_joins_comes_apart_the_largest_first():
    counts = np.zeros((6, 6))
    counts[5, 1] = counts[1, 3] = 2
    counts[0, 2] = 1
    assert order_of(counts) in ([5, 1, 3, 0, 2, 4], [3, 1, 5, 0, 2, 4])


def test_the_drawing_names_every_count_and_escapes_the_names():
    names = ["<b>one</b>", 'two" onload="x', "three"]
    plot = matrix(np.array([[8, 2, 0], [0, 5, 0], [1, 0, 9.0]]), names, "t", "d", ("true", "answered"))
    tree = tree_of(plot)
    titles = [tag.text for tag in tree.find_all("title")][1:]
    one, two, three = names
    pairs = ((one, one, 8), (one, two, 2), (two, two, 5), (three, one, 1), (three, three, 9))
    assert titles == [f"{truth} → {answer}: {count}" for truth, answer, count in pairs]
    assert tree.find("b") is None
    assert not [tag for tag in tree.find_all(True) if "onload" in tag.attrs]
