"""What workers say to each other, to bytes and back."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.deployment.service.frames import (
    FILE,
    IDLE,
    Frame,
    answer_from_bytes,
    answer_to_bytes,
    input_of,
    of_input,
    read_frame,
)
from headstart.deployment.service.served import Answer


def read(*parts):
    """The frames in bytes that come in pieces."""

    async def all_frames():
        reader = asyncio.StreamReader()
        for part in parts:
            reader.feed_data(part)
        reader.feed_eof()
        frames = []
        while (frame := await read_frame(reader)) is not None:
            frames.append(frame)
        return frames

    return asyncio.run(all_frames())


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2**64 - 1), st.binary(max_size=300)), max_size=5), st.data()
)
def test_frames_come_back_however_they_are_cut(frames, data):
    sent = [Frame(*frame) for frame in frames]
    whole = b"".join(frame.to_bytes() for frame in sent)
    cut = data.draw(st.integers(0, len(whole)))
    assert read(whole[:cut], whole[cut:]) == sent


def test_a_frame_that_breaks_off_is_none():
    assert read(Frame(IDLE, 3).to_bytes(), Frame(FILE, 4, b"half").to_bytes()[:-1]) == [Frame(IDLE, 3)]


@given(st.one_of(st.binary(), st.text(), st.tuples(st.text(), st.text())))
def test_an_input_comes_back(item):
    assert input_of(of_input(7, item)) == item


@pytest.mark.parametrize("values", [np.array([0.1, 0.9]), np.array(2.5), None])
@pytest.mark.parametrize("features", [np.arange(3, dtype=np.float32), None])
@pytest.mark.parametrize("outlier", [True, False, None])
def test_an_answer_comes_back_to_the_bit(values, features, outlier):
    answer = Answer(values, outlier, features, "not a \n picture" if values is None else "")
    back = answer_from_bytes(answer_to_bytes(answer))
    assert (back.outlier, back.why) == (answer.outlier, answer.why)
    for before, after in ((values, back.values), (features, back.features)):
        assert (before is None) == (after is None)
        if before is not None:
            assert (after.dtype, after.shape, after.tobytes()) == (before.dtype, before.shape, before.tobytes())
