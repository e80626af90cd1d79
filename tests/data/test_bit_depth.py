import io

import numpy as np
import pytest
import sixteen
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from headstart.data.bit_depth import check_window, deep_values, in_words, is_deep, scaled


def numbers(*shape):
    return np.random.default_rng(shape).integers(0, 65536, shape, dtype=np.uint16)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_sixteen_bits_in_colour_are_read_whole(channels):
    values = numbers(9, 7, channels)
    found = deep_values(Image.open(io.BytesIO(sixteen.png(values))))
    expected = values if channels > 2 else np.dstack([values[:, :, :1]] * 3 + [values[:, :, 1:]])
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bits_in_a_tiff(order, packed, channels):
    values = numbers(9, 7, channels)
    file = sixteen.tiff(values, order=order, packed=packed)
    assert np.array_equal(deep_values(Image.open(io.BytesIO(file))), values)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int32, np.float32])
def test_greys_of_any_depth(tmp_path, dtype):
    values = (np.random.default_rng(0).normal(size=(6, 5)) * 900 + (2000 if dtype == np.uint16 else 0)).astype(dtype)
    path = tmp_path / "a.tif"
    Image.fromarray(values).save(path)
    assert is_deep(str(path))
    with Image.open(path) as picture:
        assert np.array_equal(deep_values(picture), values)


def test_which_inputs_are_deep(tmp_path):
    shallow, deep = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint16)
    for name, values in (("shallow", shallow), ("deep", deep)):
        for suffix in ("png", "tif", "pgm"):
            Image.fromarray(values).save(tmp_path / f"{name}.{suffix}")
            assert is_deep(tmp_path / f"{name}.{suffix}") == (name == "deep")
        assert is_deep(values) == is_deep(Image.fromarray(values)) == (name == "deep")
    (tmp_path / "colour.png").write_bytes(sixteen.png(numbers(3, 3, 3)))
    (tmp_path / "text.png").write_bytes(b"no picture")
    (tmp_path / "cut.png").write_bytes(sixteen.png(numbers(3, 3))[:20])
    Image.fromarray(shallow).save(tmp_path / "misnamed.tif", "JPEG")
    assert is_deep(tmp_path / "colour.png")
    assert not any(is_deep(str(tmp_path / name)) for name in ("text.png", "cut.png", "misnamed.tif", "gone.png"))
    assert not any(map(is_deep, ["a text", 3, None, b"bytes", np.zeros((3, 3))]))


@given(st.floats(-1e4, 1e4), st.floats(1, 1e4))
def test_a_window_is_a_straight_line_that_ends(low, width):
    values = np.linspace(low - width, low + 2 * width, 101)
    found = scaled(values, (low, low + width))
    expected = np.clip((values - low) / width, 0, 1) * 255
    assert np.abs(found - expected).max() <= 0.51 + 255 * 4e-3
    assert (found[0], found[-1]) == (0, 255)
    assert (np.diff(found.astype(int)) >= 0).all()


def test_what_is_no_number_is_black():
    assert scaled(np.array([np.nan, -np.inf, np.inf, 1.0], np.float32), (0, 2)).tolist() == [0, 0, 255, 128]


@pytest.mark.parametrize("window", [(3, 3), (4, 1), (0, np.inf), (np.nan, 1), (1,), (1, 2, 3), "0,", 7, ("a", "b")])
def test_windows_that_are_none(window):
    with pytest.raises(ValueError, match="expected two ascending numbers, black and white, such as"):
        check_window(window)


def test_windows():
    assert check_window([0, 4095]) == check_window(("0", " 4095")) == (0.0, 4095.0)
    assert in_words((-1000.0, 400.5)) == "-1000 becomes black and 400.5 white"
