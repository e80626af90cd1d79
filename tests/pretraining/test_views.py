"""Views of rows: by the seed, the epoch and the row alone, whatever else is in the batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from small import RESNET, Rows, bright, noise

from headstart.backbones.columns import fresh
from headstart.backbones.load import load
from headstart.pretraining.objectives.scarf import Corrupted
from headstart.pretraining.row import resized
from headstart.pretraining.variation import Pair, Variation
from headstart.pretraining.views import batches_of_views
from headstart.training.augmentation import Anew
from headstart.training.batches import batches

CPU = torch.device("cpu")


def pictures():
    backbone = resized(load(RESNET), 32)
    return batches_of_views(batches([bright(row) for row in range(5)], backbone), Pair(Variation()), CPU)


def table():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 4)), columns=list("abcd"))
    return batches_of_views(batches(frame, fresh(frame, 0, width=4, depth=1)), Corrupted(0.5), CPU)


@pytest.mark.parametrize("made", [pictures, table])
def test_a_row_alone_has_the_views_that_it_has_among_others_and_others_in_another_epoch(made):
    inputs = made()
    (all_of_them,) = inputs.batch(np.arange(5), Anew(0, 0, 1))
    (alone,) = inputs.batch(np.array([3]), Anew(0, 0, 1))
    assert all_of_them.shape[:2] == (5, 2)
    assert torch.equal(alone[0], all_of_them[3])
    assert not torch.equal(alone, inputs.batch(np.array([3]), Anew(0, 0, 2))[0])
    assert not torch.equal(alone, inputs.batch(np.array([3]), Anew(1, 0, 1))[0])


def test_cells_of_others_come_from_the_same_column():
    inputs = table()
    values = inputs.plain.values
    (views,) = inputs.batch(np.arange(20), Anew(0, 0, 0))
    assert torch.equal(views[:, 0], values)
    for column in range(4):
        assert set(views[:, 1, column].tolist()) <= set(values[:, column].tolist())
    assert not torch.equal(views[:, 1], values)


def test_other_holders_of_inputs_are_refused():
    with pytest.raises(ValueError, match="Rows holds no inputs that can be seen in several views"):
        batches_of_views(Rows(noise(4)), Pair(Variation()), CPU)
