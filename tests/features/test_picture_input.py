import os
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.data.content import array_key, file_key, picture_key
from headstart.errors import DataError
from headstart.features import picture_input as module
from headstart.features.picture_input import Source, path_of
from headstart.features.quiet import quiet


def test_the_key_is_the_content_key(photos, make):
    assert Source(photos[0]).key == Source(Path(photos[0])).key == file_key(photos[0])
    picture = make.photo(9, 8)
    assert Source(picture).key == picture_key(picture)
    assert Source(np.asarray(picture)).key == array_key(np.asarray(picture))


def test_the_same_pixels_every_way(tmp_path, make):
    picture = make.photo(9, 8)
    path = tmp_path / "a b é.png"
    picture.save(path)
    ways = [Source(item).decode(draft=False) for item in (str(path), picture, np.asarray(picture))]
    assert all(np.array_equal(way, ways[0]) for way in ways)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("nowhere.png", "there is no such file"),
        (".", "a folder, not a picture"),
        ("bad\0name", "it cannot be read: embedded null"),
        ("x" * 5000, "it cannot be read: File name too long"),
        (3.5, "a float is no picture: expected a path, the bytes of a file, a PIL picture or a uint8 array"),
        (None, "a NoneType is no picture"),
    ],
)
def test_what_cannot_be_read(item, words):
    with pytest.raises(DataError, match=words):
        Source(item)


def test_a_link_to_itself(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError, match="it cannot be read: Too many levels of symbolic links"):
        Source(str(tmp_path / "loop"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(DataError, match="not a regular file"):
        Source(str(tmp_path / "pipe.png"))


def test_permission_denied(photos, monkeypatch):
    def denied(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(DataError, match="permission denied: this user may not read it"):
        Source(photos[0])


def test_a_file_that_is_far_too_large(tmp_path, monkeypatch):
    path = tmp_path / "large.png"
    with open(path, "wb") as file:
        file.truncate(module.FILE_LIMIT + 1)
    with pytest.raises(DataError, match="1073741825 bytes are more than the limit of 1024 MiB a picture"):
        Source(str(path))


def test_what_is_remembered_of_a_file(photos, make):
    time.sleep(0.06)
    sight = Source(photos[0]).sight("why")
    assert (sight.path, sight.key, sight.why) == (photos[0], file_key(photos[0]), "why")
    assert Source(make.photo(3, 3)).sight() is None
    os.utime(photos[0], (time.time() + 1000,) * 2)
    assert Source(photos[0]).sight() is None, "changed after it was looked at, for all that is known"


def test_what_is_a_path():
    assert path_of("a") == path_of(Path("a")) == "a"
    assert path_of(np.zeros(3)) is path_of(Image.new("L", (1, 1))) is None


@pytest.mark.parametrize(("width", "height"), [(30_000, 1), (1, 30_000), (101, 1), (20_000, 199)])
def test_a_strip_is_refused_by_name(tmp_path, width, height):
    picture = Image.new("RGB", (width, height), "red")
    picture.save(tmp_path / "strip.png")
    for item in (str(tmp_path / "strip.png"), picture, np.asarray(picture)):
        with pytest.raises(DataError, match=f"a strip of {width} x {height} pixels, more than 100 times as long as"):
            Source(item).decode(draft=False)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (100, 1), (20_000, 500), (3, 300)])
def test_long_pictures_are_read(tmp_path, width, height):
    Image.new("RGB", (width, height), "red").save(tmp_path / "long.jpg")
    with quiet():
        assert Source(str(tmp_path / "long.jpg")).decode(draft=True).shape == (3, height, width)


def test_a_turned_strip_is_named_as_it_is_seen(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (500, 2), "red").save(tmp_path / "turned.png", exif=exif)
    with pytest.raises(DataError, match="a strip of 2 x 500 pixels"):
        Source(str(tmp_path / "turned.png")).decode(draft=False)


def test_a_picture_in_memory_that_is_cut_off_is_refused_by_name(make):
    whole = make.encoded(make.photo(90, 80))
    with pytest.raises(DataError, match="damaged picture: image file is truncated"):
        Source(Image.open(BytesIO(whole[: len(whole) // 3])))
