"""Pictures described as they are, and the window that a stored model reads them by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.errors import ArtefactError
from headstart.preprocessing.description_encoder import DescriptionEncoder
from headstart.preprocessing.descriptors import describe
from headstart.preprocessing.encoders import encoder_from

THUMBS = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3), dtype=np.uint8)


def test_thumbnails_are_described_once() -> None:
    encoder = DescriptionEncoder()
    described = encoder.transform(THUMBS)
    assert described.shape == (3, encoder.width)
    np.testing.assert_array_equal(described, describe(THUMBS))
    assert encoder.transform(described) is described


@pytest.mark.parametrize("window", [None, (0.0, 4095.0)])
def test_the_state_gives_the_same_encoder(window: Any) -> None:
    assert encoder_from(*DescriptionEncoder(window).state()) == DescriptionEncoder(window)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 3}, "descriptions of version 3; expected 1"),
        ({"window": [5, 1]}, "the window of the model is damaged"),
        ({"window": "wide"}, "the window of the model is damaged"),
        ({"window": [0, 1, 2]}, "the window of the model is damaged"),
        ({"window": {"a": 1}}, "the window of the model is damaged"),
    ],
)
def test_a_damaged_state_is_refused(changes: dict[str, Any], words: str) -> None:
    config, arrays = DescriptionEncoder((0.0, 1.0)).state()
    with pytest.raises(ArtefactError, match=words):
        encoder_from(config | changes, arrays)
