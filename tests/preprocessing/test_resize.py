"""Resizing is torchvision's, on processors with torch's kernel for whole numbers and without."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms.v2 import functional

from headstart.preprocessing import resize as module
from headstart.preprocessing.resize import centre_crop, resize

SIDES = st.integers(1, 90)


def pixels(height, width):
    rng = np.random.default_rng(height * 100 + width)
    return torch.from_numpy(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).permute(2, 0, 1)


@pytest.fixture(params=[True, False])
def whole(request, monkeypatch):
    """Whether torch has the kernel."""
    capability = "AVX2" if request.param else "DEFAULT"
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    module._interpolates_whole_numbers.cache_clear()
    yield request.param
    module._interpolates_whole_numbers.cache_clear()


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(7, 9), (64, 31), (40, 50), (2, 1)])
def test_it_is_that_of_torchvision(whole, size, interpolation):
    picture = pixels(40, 50)
    for view in (picture, picture.contiguous(), picture[:, 3:31, 5:44], picture.contiguous()[:, 3:31, 5:44]):
        expected = functional.resize_image(
            view, list(size), interpolation=functional.InterpolationMode(interpolation), antialias=True
        )
        resized = resize(view, size, interpolation)
        assert resized.dtype == torch.uint8
        assert torch.equal(resized, expected)
    assert module._interpolates_whole_numbers() == whole


@given(SIDES, SIDES, SIDES, SIDES)
@settings(max_examples=80, deadline=None)
def test_the_crop_is_that_of_torchvision(height, width, high, wide):
    picture = pixels(height, width)
    assert torch.equal(centre_crop(picture, (high, wide)), functional.center_crop_image(picture, [high, wide]))
