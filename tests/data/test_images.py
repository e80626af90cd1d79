import io
import re

import numpy as np
import pytest
from PIL import Image

from headstart.data.images import find_pictures, holds_pictures, is_picture, is_picture_name


def png(size=(3, 2)):
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("name", ["a.jpg", "b.JPEG", "dir.x/c d.png", "é.webp", "x.tar.tif"])
def test_picture_names(name):
    assert is_picture_name(name)


@pytest.mark.parametrize("name", ["a.txt", "jpg", ".png", "a.png.bak", "", "see a.png, please"])
def test_other_names(name):
    assert not is_picture_name(name)


def test_pictures_in_memory():
    pixels = np.zeros((4, 5, 3), np.uint8)
    for picture in (Image.new("L", (2, 2)), b"anything", {"bytes": None, "path": "x"}, pixels, pixels[..., 0]):
        assert is_picture(picture)
    for other in (pixels.astype(float), pixels[..., :2], np.zeros(4, np.uint8), np.zeros((0, 3), np.uint8), 3, None):
        assert not is_picture(other)


def test_more_than_half_must_be_pictures():
    assert holds_pictures(["a.png", "b.png", "c"])
    assert not holds_pictures(["a.png", "b"])
    assert not holds_pictures([])


def test_paths_are_taken_from_the_folder_of_the_table(tmp_path):
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "ü 1.png").write_bytes(png())
    whole = str(tmp_path / "cats" / "ü 1.png")
    pictures, broken = find_pictures(
        ["cats/ü 1.png", r"cats\ü 1.png", whole, tmp_path / "cats" / "ü 1.png"], str(tmp_path)
    )
    assert pictures == [whole] * 4
    assert broken == {}


def test_a_damaged_file_is_not_opened_here(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    assert find_pictures(["empty.png"], str(tmp_path)) == ([str(tmp_path / "empty.png")], {})


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("gone.png", "no such file: 'there/gone.png'"),
        ("a\0.png", "no such file"),
        ("/", "a folder, not a file: '/'"),
        ("", "no picture is named"),
        (None, "no picture is named"),
        (float("nan"), "no picture is named"),
        (7, "7 is no picture"),
        (b"text", "4 bytes that are no picture of a known format"),
        ({"bytes": b"", "path": None}, "0 bytes that are no picture"),
        ({"bytes": None, "path": None}, "no picture is named"),
        (np.zeros((2, 2, 3)), r"an array of float64 and shape \(2, 2, 3\) is no picture: expected uint8"),
    ],
)
def test_what_is_no_picture_is_broken_by_row(cell, why):
    pictures, broken = find_pictures([png(), cell], "there")
    assert isinstance(pictures[0], Image.Image)
    assert pictures[1] is None
    assert list(broken) == [1]
    assert re.search(why, broken[1])


def test_bytes_are_decoded_when_first_used():
    (stored, plain), _ = find_pictures([{"bytes": png((5, 4)), "path": "x.png"}, png((5, 4))])
    for picture in (stored, plain):
        assert picture.size == (5, 4)
        assert picture.getpixel((0, 0)) == (255, 0, 0)


def test_a_bomb_in_memory_is_broken():
    file = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(file, "PNG")
    _, broken = find_pictures([file.getvalue()])
    assert "decompression bomb" in broken[0]


def test_truncated_bytes_are_left_to_the_decoder():
    pictures, broken = find_pictures([png()[:-20]])
    assert broken == {}
    assert pictures[0].size == (3, 2)
