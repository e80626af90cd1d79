"""Views of pictures: by their random numbers alone, and each change by itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headstart.pretraining.variation import Pair, Variation

NONE = {"crop": 1, "flip": 0, "jitter": 0, "grey": 0, "blur": 0}


def one(seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (3, 24, 20)).astype(np.uint8))


def view(seed=0, **options):
    return Variation(**(NONE | options))(one(), np.random.default_rng(seed))


def test_without_any_change_a_view_is_the_picture():
    assert torch.equal(view(), one())


def test_the_same_random_numbers_give_the_same_views_and_others_give_others():
    pair = Pair(Variation())
    views, numbers = pair(one(), np.random.default_rng(1))
    assert views.shape == (2, 3, 24, 20)
    assert views.dtype == torch.uint8
    assert numbers is None
    assert torch.equal(views, pair(one(), np.random.default_rng(1))[0])
    assert not torch.equal(views, pair(one(), np.random.default_rng(2))[0])
    assert not torch.equal(views[0], views[1])


def test_each_change_does_what_it_says():
    assert torch.equal(view(flip=1), one().flip(2))
    grey = view(grey=1)
    assert torch.equal(grey[0], grey[2])
    assert view(blur=1).float().std() < 0.8 * one().float().std()
    assert not all(torch.equal(view(seed=seed, jitter=0.5), one()) for seed in range(8))
    assert view(crop=0.2).shape == one().shape


@pytest.mark.parametrize(("name", "value", "expected"), [("crop", 0, "more than 0"), ("flip", 2, "from 0 to 1")])
def test_options_that_cannot_be_are_refused(name, value, expected):
    with pytest.raises(ValueError, match=f"{name}.*{expected}"):
        Variation(**{name: value})
