"""Pictures of any size as the graph prepares them: to the last bit as headstart, and so torchvision, prepares them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headstart.deployment.formats.pixels import PixelsToInput
from headstart.preprocessing.prepare import normalise, prepare
from headstart.preprocessing.spec import PicturePreprocess

FORMS = [
    PicturePreprocess(
        size=size, resize=resize, interpolation=interpolation, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), squash=squash
    )
    for size, resize in (((32, 32), 36), ((48, 40), 40), ((20, 20), 50))
    for interpolation in ("bilinear", "bicubic")
    for squash in (False, True)
]


def picture(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@settings(max_examples=60)
@given(form=st.sampled_from(FORMS), height=st.integers(1, 300), width=st.integers(1, 300), seed=st.integers(0, 9))
@example(form=FORMS[0], height=1, width=1, seed=0)
@example(form=FORMS[0], height=2, width=900, seed=0)  # a strip, of which the middle is kept
@example(form=FORMS[2], height=234, width=63, seed=1)  # the largest weight is of a row that the crop leaves out
@example(form=FORMS[0], height=32, width=32, seed=2)
@example(form=FORMS[3], height=700, width=500, seed=2)
def test_the_pixels_are_those_of_headstart(form, height, width, seed):
    pixels = torch.from_numpy(picture(height, width, seed))
    expected = prepare(pixels.permute(2, 0, 1), form)
    prepared = PixelsToInput(form).prepared(pixels.permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    np.testing.assert_array_equal(prepared.numpy(), expected)


@pytest.mark.parametrize("form", FORMS[:2], ids=["bilinear", "bicubic"])
def test_a_batch_is_scaled_as_the_network_takes_it(form):
    pixels = torch.from_numpy(np.stack([picture(50, 70, seed) for seed in range(3)]))
    prepared = np.stack([prepare(each.permute(2, 0, 1), form) for each in pixels])
    expected = normalise(torch.from_numpy(prepared), form)
    torch.testing.assert_close(PixelsToInput(form)(pixels), expected.contiguous(), rtol=1e-6, atol=1e-6)
