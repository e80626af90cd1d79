"""Episodes: their shape, what may not be in one together, and what there is too little for."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.errors import DataError
from headstart.meta_learning.episodes import Sampler, Shape
from headstart.tasks import CLASSIFICATION, REGRESSION


def sampler(targets, block=None, tasks=None, rows=None, kind=CLASSIFICATION):
    targets = np.asarray(targets)
    count = len(targets)
    block = np.arange(count) if block is None else np.asarray(block)
    rows = np.arange(count) if rows is None else np.asarray(rows)
    return Sampler(rows, targets, block, None if tasks is None else np.asarray(tasks), kind)


def draws(source, shape, count=20, seed=0):
    return list(source.several(shape, count, seed=seed, stream=1))


def test_an_episode_has_its_ways_its_shots_and_a_balanced_query():
    targets = np.repeat(np.arange(6), 8)
    for episode in draws(sampler(targets), Shape(4, 3, 9)):
        assert np.array_equal(episode.support_targets, np.repeat(np.arange(4), 3))
        assert np.array_equal(episode.query_targets, np.repeat(np.arange(4), 5))  # what a class has left
        everything = [*episode.support, *episode.query]
        assert len(set(everything)) == len(everything)
        classes = targets[episode.support].reshape(4, 3)
        assert (classes == classes[:, :1]).all()
        assert np.array_equal(targets[episode.query], np.repeat(classes[:, 0], 5))
        assert len(set(classes[:, 0])) == 4


def test_the_same_numbers_draw_the_same_episode_and_others_another():
    source = sampler(np.repeat(np.arange(6), 8))
    shape = Shape(3, 1, 2)
    first = source.draw(shape, seed=0, stream=1, number=4)
    assert np.array_equal(first.support, source.draw(shape, seed=0, stream=1, number=4).support)
    others = [source.draw(shape, seed=s, stream=t, number=n) for s, t, n in [(1, 1, 4), (0, 2, 4), (0, 1, 5)]]
    assert all(not np.array_equal(first.query, other.query) for other in others)


def test_labels_do_not_matter():
    targets = np.repeat(np.arange(4), 5)
    renamed = np.array([3, 1, 0, 2])[targets]
    for one, other in zip(
        draws(sampler(targets), Shape(2, 1, 3)), draws(sampler(renamed), Shape(2, 1, 3)), strict=True
    ):
        assert np.array_equal(one.support, other.support)


def test_only_given_rows_are_drawn():
    source = sampler(np.repeat(np.arange(4), 10), rows=np.arange(0, 40, 2))
    assert all((np.concatenate(episode[:2]) % 2 == 0).all() for episode in draws(source, Shape(3, 2, 5)))


def test_duplicates_and_groups_are_never_both_in_an_episode():
    targets = np.repeat(np.arange(3), 12)
    block = np.arange(36) % 18  # a row of one class has a twin in another
    for episode in draws(sampler(targets, block), Shape(2, 2, 6), 60):
        together = block[np.concatenate(episode[:2])]
        assert len(set(together)) == len(together)


def test_classes_that_share_every_group_are_asked_for_less():
    """The same things turned about are classes of their own: three of them share twelve pictures."""
    block = np.tile(np.arange(12), 3)
    for episode in draws(sampler(np.repeat(np.arange(3), 12), block), Shape(3, 2, 6)):
        assert len(episode.support) == 6
        assert len(episode.query) == 3
        together = block[np.concatenate(episode[:2])]
        assert len(set(together)) == len(together)


def test_an_episode_is_of_one_small_task():
    tasks = np.repeat(np.arange(3), 20)
    targets = np.tile(np.repeat(np.arange(4), 5), 3)
    found = set()
    for episode in draws(sampler(targets, tasks=tasks), Shape(3, 1, 4), 30):
        (task,) = set(tasks[np.concatenate(episode[:2])])
        found.add(task)
    assert found == {0, 1, 2}


def test_an_episode_of_a_regression_is_rows_of_one_task_and_others():
    tasks, values = np.repeat(np.arange(3), 10), np.arange(30) / 3
    episode = draws(sampler(values, tasks=tasks, kind=REGRESSION), Shape(5, 4, 20), 1)[0]
    assert len(episode.support) == 4
    assert len(episode.query) == 6
    assert np.array_equal(episode.query_targets, values[episode.query])
    assert episode.way == 1


def test_too_few_classes_or_rows_are_refused_in_words():
    source = sampler(np.repeat(np.arange(3), 4))
    with pytest.raises(DataError, match=r"3-way 4-shot episodes need 3 classes of at least 5 different rows each, and"):
        source.draw(Shape(3, 4, 1), seed=0, stream=1, number=0)
    with pytest.raises(DataError, match=r"4-way 1-shot .* and here are 3: name a smaller way or shot, or add rows"):
        source.draw(Shape(4, 1, 1), seed=0, stream=1, number=0)
    values = sampler(np.arange(5.0), kind=REGRESSION)
    with pytest.raises(DataError, match=r"5-shot episodes need 6 different rows of a task, and the largest has 5"):
        values.draw(Shape(2, 5, 1), seed=0, stream=1, number=0)


def test_classes_that_share_all_their_groups_make_no_episode():
    source = sampler([0, 0, 1, 1], block=[0, 1, 0, 1])
    with pytest.raises(DataError, match=r"no 2-way 1-shot episode in 100 draws has classes that share no group"):
        source.draw(Shape(2, 1, 1), seed=0, stream=1, number=0)
