import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
import sixteen
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from headstart.backbones.windowed import windowed
from headstart.data.quality.near_pictures import near_pictures
from headstart.features.extract import Extraction, extract, thumbnails
from headstart.features.picture_input import Source
from headstart.features.window import find_window, settled, unsettled
from headstart.preprocessing.decode import decode, decode_array


def slices(count, low=1000, high=1200, seed=0):
    """12-bit slices (40, 40) uint16 that use little of their range; each with a blob elsewhere."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:40, :40]
    for _ in range(count):
        blob = np.exp(-((y - rng.integers(5, 35)) ** 2 + (x - rng.integers(5, 35)) ** 2) / 40)
        yield np.rint(low + (high - low) * blob).astype(np.uint16)


@pytest.fixture
def scans(tmp_path):
    paths = []
    for number, values in enumerate(slices(12)):
        Image.fromarray(values).save(tmp_path / f"{number:02}.png")
        paths.append(str(tmp_path / f"{number:02}.png"))
    return paths


def test_the_window_is_that_of_the_data(scans):
    low, high = find_window(scans)
    assert 1000 <= low < high <= 1200
    assert high - low > 150
    assert find_window(scans[::-1]) == (low, high)
    assert find_window([np.asarray(Image.open(path)) for path in scans]) == (low, high)
    assert find_window([Image.open(path) for path in scans]) == (low, high)


def test_one_dead_pixel_does_not_decide(scans):
    low, high = find_window(scans)
    broken = np.asarray(Image.open(scans[3])).copy()
    broken[0, 0], broken[0, 1] = 65535, 0
    Image.fromarray(broken).save(scans[3])
    assert find_window(scans) == (low, high)


def test_pictures_of_eight_bits_and_what_cannot_be_read_have_no_window(tmp_path, make):
    make.photo(20, 20).save(tmp_path / "a.png")
    noise = np.random.default_rng(0).integers(0, 9, (30, 30), dtype=np.uint16)
    (tmp_path / "b.png").write_bytes(sixteen.png(noise)[:99])
    assert find_window([str(tmp_path / "a.png"), str(tmp_path / "b.png"), str(tmp_path / "gone.png")]) is None
    assert find_window([]) is None


def test_numbers_below_zero_and_floats(tmp_path):
    rng = np.random.default_rng(0)
    for name, values in (("ct", rng.normal(0, 300, (50, 50)).astype(np.int16)), ("map", rng.normal(0, 0.01, (50, 50)))):
        Image.fromarray(values.astype(np.int32 if name == "ct" else np.float32)).save(tmp_path / f"{name}.tif")
    low, high = find_window([str(tmp_path / "ct.tif")])
    assert -1200 < low < -700 < 700 < high < 1200
    assert (low, high) == (round(low), round(high))
    low, high = find_window([str(tmp_path / "map.tif")])
    assert -0.04 < low < -0.02 < 0.02 < high < 0.04
    assert find_window([np.full((4, 4), 7, np.uint16)]) == (7, 8)


@given(st.integers(0, 60000), st.integers(1, 5000), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_numbers_moved_and_stretched_look_the_same(offset, factor, random):
    plain = [values.astype(np.int64) for values in slices(4, low=0, high=1)]
    moved = [np.clip(offset + factor * values, 0, 65535).astype(np.uint16) for values in plain]
    window = find_window(random.sample(moved, len(moved)))
    for values, other in zip(plain, moved, strict=True):
        picture = Source(other).decode(draft=False, window=window)
        assert np.array_equal(picture[0] > 127, values * factor + offset > (window[0] + window[1]) / 2)


def test_the_window_is_part_of_the_backbone(tiny, scans):
    seen, note = settled(tiny, scans, None)
    assert seen.preprocess.window == find_window(scans)
    assert note.endswith("in 12 pictures of more than 8 bits (from the data; --window LOW,HIGH sets others)")
    asked, note = settled(tiny, scans, (900, 1300))
    assert asked.preprocess.window == (900, 1300)
    assert note == "900 becomes black and 1300 white in 12 pictures of more than 8 bits (as asked)"
    assert "(of the backbone)" in settled(asked, scans, None)[1]
    assert unsettled(seen, scans) == ""
    assert unsettled(tiny, scans).startswith("12 pictures have more than 8 bits, and the model was fitted to none such")


def test_other_pictures_leave_the_backbone_as_it_is(tiny, photos, words):
    assert settled(tiny, photos, None) == (tiny, "")
    assert settled(tiny, photos, (0, 9)) == (tiny, "the window has no use: no picture has more than 8 bits")
    assert settled(words, ["a b"], None) == (words, "")
    assert unsettled(tiny, photos) == unsettled(None, photos) == ""
    with pytest.raises(ValueError, match="expected two ascending numbers"):
        settled(tiny, photos, (9, 0))


def test_features_and_thumbnails_see_the_same_and_do_not_meet_those_without(tiny, scans, cache):
    extraction = Extraction(engine="torch", precision="float32", cache=cache)
    seen, _ = settled(tiny, scans, None)
    plain = extract(scans, tiny, extraction)
    found = extract(scans, seen, extraction)
    assert len(near_pictures(plain.thumbs)) > 0
    assert len(near_pictures(found.thumbs)) == 0
    assert found.thumbs.std() > 5 * plain.thumbs.std()
    again = extract(scans, seen, extraction)
    assert again.computed == 0
    assert np.array_equal(again.values, found.values)
    assert np.array_equal(extract(scans, tiny, extraction).values, plain.values)
    assert np.array_equal(thumbnails(scans, window=seen.preprocess.window).thumbs, found.thumbs)


def test_eight_bits_are_untouched_by_a_window(tiny, photos):
    plain, seen = extract(photos, tiny), extract(photos, windowed(tiny, (3.0, 7.0)))
    assert np.array_equal(plain.values, seen.values)
    assert np.array_equal(plain.thumbs, seen.thumbs)


def test_a_picture_that_only_a_window_can_read_is_tried_again(tiny, tmp_path, cache):
    path = tmp_path / "ct.tif"
    Image.fromarray(np.linspace(-1000, 400, 900).reshape(30, 30).astype(np.int32)).save(path)
    extraction = Extraction(engine="torch", precision="float32", cache=cache)
    plain = extract([str(path)], tiny, extraction)
    assert "whole numbers from -1000 to 400: expected 0 to 65535" in plain.failed[0].why
    assert "(--window LOW,HIGH)" in plain.failed[0].why
    assert extract([str(path)], settled(tiny, [str(path)], None)[0], extraction).failed == ()


def test_a_hidden_number_is_transparent():
    values = np.full((4, 4), 1000, np.uint16)
    values[0] = 7
    file = sixteen.png(values)
    at = file.index(b"IDAT") - 4
    body = struct.pack(">H", 7)
    hidden = struct.pack(">I", 2) + b"tRNS" + body + struct.pack(">I", zlib.crc32(b"tRNS" + body))
    picture = decode(file[:at] + hidden + file[at:], window=(0, 2000))
    assert picture[0, 0].tolist() == [255] * 4
    assert picture[0, 1].tolist() == [128] * 4


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_of_sixteen_bits_through_a_window(channels):
    values = np.random.default_rng(0).integers(1000, 1200, (6, 5, channels), dtype=np.uint16)
    if channels == 4:
        values[:, :, 3] = 65535
    picture = decode(sixteen.png(values), window=(1000, 1200)).permute(1, 2, 0).numpy()
    assert np.abs(picture - (values[:, :, :3] - 1000.0) * 255 / 200).max() <= 0.501
    assert np.array_equal(decode_array(values, window=(1000, 1200)).permute(1, 2, 0).numpy(), picture)
    assert np.array_equal(decode(sixteen.png(values)).permute(1, 2, 0).numpy(), values[:, :, :3] >> 8)


def test_the_twins_of_a_backbone_have_its_window(tiny):
    given = replace(tiny, random=lambda seed: tiny)
    seen = windowed(given, (1.0, 2.0))
    assert seen.random(0).preprocess.window == (1.0, 2.0)
    assert len({tiny.fingerprint, seen.fingerprint, windowed(given, (1.0, 3.0)).fingerprint}) == 3
    assert windowed(seen, (1.0, 2.0)) is seen
