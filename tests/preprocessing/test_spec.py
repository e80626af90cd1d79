import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import BackboneError
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess, preprocess_from_json, preprocess_to_json

PICTURE = PicturePreprocess(
    size=(224, 192), resize=256, interpolation="bicubic", mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 0.5), squash=True
)
TEXT = TextPreprocess(tokenizer_json='{"model": {"type": "WordLevel", "vocab": {"é": 0}}}', max_length=12, pad_id=0)


@pytest.mark.parametrize("preprocess", [PICTURE, replace(PICTURE, window=(-1000.0, 400.5)), TEXT, None])
def test_it_comes_back_from_json(preprocess):
    text = json.dumps(preprocess_to_json(preprocess), allow_nan=False)
    assert preprocess_from_json(json.loads(text)) == preprocess


@given(st.integers(1, 2000), st.integers(1, 3000), st.tuples(*[st.floats(-10, 10)] * 3), st.booleans())
def test_every_picture_preprocessing_comes_back(height, resize, mean, squash):
    preprocess = replace(PICTURE, size=(height, 7), resize=resize, mean=mean, squash=squash)
    assert preprocess_from_json(json.loads(json.dumps(preprocess_to_json(preprocess)))) == preprocess


def test_whole_numbers_for_colours_are_read_as_floats():
    read = preprocess_from_json(preprocess_to_json(PICTURE) | {"mean": [0, 0, 0]})
    assert read == replace(PICTURE, mean=(0.0, 0.0, 0.0))
    assert [type(value) for value in read.mean] == [float] * 3


def test_without_a_window_nothing_is_written_of_one():
    assert "window" not in preprocess_to_json(PICTURE)
    assert preprocess_to_json(replace(PICTURE, window=(0.0, 4095.0)))["window"] == [0.0, 4095.0]


@pytest.mark.parametrize("value", [{}, {"kind": "smell"}, {"kind": ["text"]}, [], "picture"])
def test_another_kind_is_refused(value):
    with pytest.raises(BackboneError, match="expected 'picture' or 'text' or 'sound'"):
        preprocess_from_json(value)


def test_a_missing_and_an_unknown_key_are_named():
    with pytest.raises(BackboneError, match="key 'crop' is unknown"):
        preprocess_from_json(preprocess_to_json(PICTURE) | {"crop": 1})
    with pytest.raises(BackboneError, match="key 'pad_id' is missing"):
        preprocess_from_json({"kind": "text", "tokenizer_json": "{}", "max_length": 3})


@pytest.mark.parametrize(
    ("preprocess", "change", "words"),
    [
        (PICTURE, {"size": [0, 3]}, "size = .*two whole numbers"),
        (PICTURE, {"size": [3]}, "size = .*two whole numbers"),
        (PICTURE, {"resize": True}, "resize = 'True'; expected a whole number"),
        (PICTURE, {"interpolation": "nearest"}, "'bilinear' or 'bicubic'"),
        (PICTURE, {"mean": [0, 0, float("nan")]}, "mean = .*three numbers"),
        (PICTURE, {"std": [1, 1, 0]}, "std = .*three positive numbers"),
        (PICTURE, {"squash": 1}, "squash = '1'; expected true or false"),
        (PICTURE, {"window": [3, 3]}, "window = .*two ascending numbers"),
        (PICTURE, {"window": [0, float("inf")]}, "window = .*two ascending numbers"),
        (PICTURE, {"window": None}, "window = .*two ascending numbers"),
        (TEXT, {"tokenizer_json": "{"}, "expected the JSON of a fast tokenizer"),
        (TEXT, {"tokenizer_json": "7"}, "expected the JSON of a fast tokenizer"),
        (TEXT, {"tokenizer_json": 7}, "expected the JSON of a fast tokenizer"),
        (TEXT, {"max_length": 0}, "max_length = '0'; expected a whole number of tokens"),
        (TEXT, {"pad_id": -1}, "pad_id = '-1'; expected the number of a token"),
    ],
)
def test_a_value_that_cannot_be_is_refused(preprocess, change, words):
    with pytest.raises(BackboneError, match=words):
        preprocess_from_json(preprocess_to_json(preprocess) | change)
