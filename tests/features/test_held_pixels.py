"""Prepared pictures that are held for a second pass: how many, for whom, and that features are the same bits."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.features import held_pixels
from headstart.features import picture_input as source
from headstart.features.extract import Extraction, extract
from headstart.features.held_pixels import HeldPixels

TORCH = Extraction(engine="torch", precision="float32", lanes=1, thumbs=False)
PICTURE = 32 * 32 * 3


def pixels(number, side=32):
    return np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_a_picture_is_held_as_it_was(tiny, make):
    store, picture = HeldPixels(), pixels(0)
    copy = store.hold(make.key(0), tiny.preprocess, picture)
    before = picture.copy()
    picture[:] = 0
    assert np.array_equal(copy, before)
    assert np.array_equal(store.find(make.key(0), tiny.preprocess), before)
    assert store.find(make.key(1), tiny.preprocess) is None
    assert store.find(make.key(0), replace(tiny.preprocess, resize=40)) is None
    assert store.find(make.key(0), tiny.preprocess.with_window((0.0, 9.0))) is None


@pytest.mark.parametrize("block", [1, 5 * PICTURE, 8 << 20])
def test_no_more_memory_than_the_limit(tiny, make, block, monkeypatch):
    monkeypatch.setattr(held_pixels, "_BLOCK", block)
    store = HeldPixels(7 * PICTURE + 5)
    given = [store.hold(make.key(number), tiny.preprocess, pixels(number)) for number in range(20)]
    assert store.nbytes <= 7 * PICTURE + 5
    assert 5 <= len(store) <= 7
    for number, picture in enumerate(given):
        assert np.array_equal(picture, pixels(number))
        kept = store.find(make.key(number), tiny.preprocess)
        assert kept is None or np.array_equal(kept, pixels(number))
    store.clear()
    assert (len(store), store.nbytes) == (0, 0)


def test_a_limit_below_one_picture_holds_none(tiny, make):
    store, picture = HeldPixels(PICTURE - 1), pixels(0)
    assert store.hold(make.key(0), tiny.preprocess, picture) is picture
    assert (len(store), store.nbytes) == (0, 0)


def test_nothing_more_once_it_is_closed_or_cleared(tiny, make):
    store = HeldPixels()
    store.hold(make.key(0), tiny.preprocess, pixels(0))
    store.close()
    store.hold(make.key(1), tiny.preprocess, pixels(1))
    assert store.find(make.key(0), tiny.preprocess) is not None
    assert len(store) == 1
    store.clear()
    store.hold(make.key(2), tiny.preprocess, pixels(2))
    assert store.nbytes == 0


def test_threads_do_not_write_into_each_others_pictures(tiny, make):
    store = HeldPixels(300 * PICTURE)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.hold(make.key(number), tiny.preprocess, pixels(number)), range(200)))
    assert len(store) == 200
    assert all(np.array_equal(store.find(make.key(row), tiny.preprocess), pixels(row)) for row in range(200))


@pytest.fixture
def decoded(monkeypatch):
    """How many pictures were decoded, and how many files were read."""
    counts = {"decode": 0, "read": 0}
    decode, read = source.decode, source.Source._read

    def counted(name, does):
        def count(*arguments, **options):
            counts[name] += 1
            return does(*arguments, **options)

        return count

    monkeypatch.setattr(source, "decode", counted("decode", decode))
    monkeypatch.setattr(source.Source, "_read", counted("read", read))
    return counts


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("limit", [0, 25 * PICTURE, held_pixels.LIMIT])
@pytest.mark.parametrize("kept", [True, False])
def test_a_second_network_gets_the_same_features_and_decodes_only_what_is_not_held(
    tiny, make, photos, cache, decoded, limit, kept, lanes
):
    twin = make.backbone(7)
    Path(photos[5]).write_bytes(b"not a picture")
    time.sleep(0.08)  # files that were written before count as settled
    plain = extract(photos, twin, replace(TORCH, lanes=lanes))
    how = replace(TORCH, lanes=lanes, cache=cache if kept else None, pixels=HeldPixels(limit))
    extract(photos, tiny, how)
    stored = len(how.pixels)
    assert stored == min(39, limit // PICTURE)
    decoded.update(decode=0, read=0)
    second = extract(photos, twin, how)
    assert np.array_equal(second.values, plain.values)
    assert (second.keys, second.failed, second.computed) == (plain.keys, plain.failed, 39)
    # Without a cache nobody knows which file is which picture: all are read, and the bad one is tried again.
    assert decoded == {"decode": 39 - stored + (not kept), "read": 39 - stored if kept else 40}
    assert np.array_equal(extract(photos, twin, how).values, plain.values)


def test_other_preprocessing_is_not_fed_what_was_held(tiny, make, photos):
    twin = make.backbone(7)
    twin = replace(twin, preprocess=replace(twin.preprocess, resize=60), fingerprint="other")
    plain = extract(photos, twin, TORCH)
    how = replace(TORCH, pixels=HeldPixels())
    extract(photos, tiny, how)
    assert np.array_equal(extract(photos, twin, how).values, plain.values)


def test_thumbnails_that_are_still_wanted_are_made(tiny, make, photos):
    how = replace(TORCH, pixels=HeldPixels())
    extract(photos, tiny, how)
    plain = extract(photos, make.backbone(7), replace(TORCH, thumbs=True))
    second = extract(photos, make.backbone(7), replace(how, thumbs=True))
    assert np.array_equal(second.thumbs, plain.thumbs)
    assert np.array_equal(second.values, plain.values)


def test_arrays_and_repeated_pictures(tiny, make):
    inputs = [pixels(number % 9, side=40) for number in range(30)]
    plain = extract(inputs, make.backbone(7), TORCH)
    how = replace(TORCH, pixels=HeldPixels())
    extract(inputs, tiny, how)
    assert len(how.pixels) == 9
    assert np.array_equal(extract(inputs, make.backbone(7), how).values, plain.values)
