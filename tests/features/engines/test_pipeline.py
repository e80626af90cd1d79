"""Batches on their way through a pretended GPU, which is as late as a real one: see support/elsewhere.py."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from elsewhere import QUEUE, pretended

from headstart.errors import BackboneError
from headstart.features.engines.pipeline import Pipeline

DEVICE = torch.device("cuda:0")


def sums(pixels):
    """(N, ...) -> (N, 2): the sum, and its double."""
    flat = pixels.flatten(1).double().sum(1)
    return torch.stack([flat, 2 * flat], 1)


def batch(number, count=3):
    return np.random.default_rng(number).integers(0, 256, (count, 5, 5, 3), dtype=np.uint8)


def expected(pixels):
    flat = pixels.reshape(len(pixels), -1).astype(np.float32).sum(1)
    return np.stack([flat, 2 * flat], 1)


def test_several_batches_are_on_their_way_at_a_time_and_nothing_waits_until_it_is_asked():
    with pretended():
        pipeline = Pipeline(DEVICE, sums, 2)
        waits = QUEUE.waits
        pending = [pipeline.start(batch(number)) for number in range(3)]
        assert QUEUE.waits == waits
        rows = [wait() for wait in pending]
        assert QUEUE.waits == waits + 3
    for number, some in enumerate(rows):
        assert some.dtype == np.float32
        np.testing.assert_array_equal(some, expected(batch(number)))


@pytest.mark.device
def test_inputs_may_change_once_they_are_handed_over_and_rows_are_ones_own():
    with pretended():
        pipeline = Pipeline(DEVICE, sums, 2)
        pixels = batch(0)
        first = pipeline.start(pixels)
        pixels[:] = 0
        rows = first()
        np.testing.assert_array_equal(rows, expected(batch(0)))
        assert (pipeline.start(pixels)() == 0).all()
    np.testing.assert_array_equal(rows, expected(batch(0)))


@pytest.mark.device
def test_a_batch_may_be_given_picture_by_picture_and_others_be_smaller_or_larger():
    with pretended():
        pipeline = Pipeline(DEVICE, sums, 2)
        for count in (3, 1, 7):
            np.testing.assert_array_equal(pipeline.start(list(batch(0, count)))(), expected(batch(0, count)))


@pytest.mark.device
def test_buffers_are_borrowed_again():
    with pretended():
        pipeline = Pipeline(DEVICE, sums, 2)
        for number in range(4):
            pipeline.start(batch(number))()
        assert len(pipeline._free) == 1
        (buffers,) = pipeline._free
        where = buffers._inputs[0].data_ptr()
        pipeline.start(batch(9))()
        assert buffers._inputs[0].data_ptr() == where


@pytest.mark.device
def test_threads_may_share_it():
    with pretended():
        pipeline = Pipeline(DEVICE, sums, 2)
        with ThreadPoolExecutor(4) as pool:
            rows = list(pool.map(lambda number: pipeline.start(batch(number))(), range(40)))
        assert 1 <= len(pipeline._free) <= 4
    for number, some in enumerate(rows):
        np.testing.assert_array_equal(some, expected(batch(number)))


def test_after_an_error_the_buffers_are_free_once_nothing_reads_them():
    def broken(pixels):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pretended():
        pipeline = Pipeline(DEVICE, broken, 2)
        with pytest.raises(torch.OutOfMemoryError):
            pipeline.start(batch(0))
        assert len(pipeline._free) == 1
        assert QUEUE.begun == QUEUE.ended


def test_a_shape_that_is_not_promised_is_refused():
    with pretended(), pytest.raises(BackboneError, match=r"features of shape \(3, 2\); expected \(3, 4\)"):
        Pipeline(DEVICE, sums, 4).start(batch(0))()
