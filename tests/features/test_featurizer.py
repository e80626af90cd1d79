"""Features of a few pictures at a time: the numbers of `extract`, without its way there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from small import bright
from tiny_backbones import encoded

from headstart.features.engines.recorded import last_engine
from headstart.features.engines.short_batches import allow_single_pictures
from headstart.features.extract import extract
from headstart.features.extraction import Extraction
from headstart.features.featurizer import picture_featurizer

EXTRACTION = Extraction(engine="torch", precision="float32", device="cpu", lanes=1, thumbs=False)
BROKEN = (b"", b"no picture", encoded(bright(1))[:60])


def ready(backbone, extraction=EXTRACTION, *, single=False):
    """After a first call, as a service makes one."""
    extract([bright(0)], backbone, extraction)
    if single:
        allow_single_pictures(backbone)
    return picture_featurizer(backbone, extraction)


def files(count):
    """The bytes of pictures, of which every third cannot be read."""
    return [BROKEN[row // 3 % 3] if row % 3 == 2 else encoded(bright(row)) for row in range(count)]


@pytest.mark.usefixtures("has_openvino")
@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 14])
def test_they_are_those_of_extract_and_what_cannot_be_read_is_named_alike(tiny, engine, single, count):
    extraction = replace(EXTRACTION, engine=engine)
    featurizer = ready(tiny, extraction, single=single)
    for some in (files(count), files(count)[::-1]):
        values, failed = featurizer(some)
        expected = extract(some, tiny, extraction)
        assert values.tobytes() == expected.values.tobytes()
        assert failed == dict(expected.failed)


def test_arrays_and_paths_are_taken_too(tiny, tmp_path):
    (tmp_path / "one.png").write_bytes(encoded(bright(1)))
    some = [bright(1), str(tmp_path / "one.png"), np.asarray(bright(1)), str(tmp_path / "none.png"), 7]
    values, failed = ready(tiny)(some)
    assert values.tobytes() == extract(some, tiny, EXTRACTION).values.tobytes()
    assert set(failed) == {3, 4}
    assert "there is no such file" in failed[3]


def test_threads_that_share_it_wait_for_each_other(tiny):
    featurizer = ready(tiny)
    alone = [featurizer([encoded(bright(row))])[0].tobytes() for row in range(12)]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda row: featurizer([encoded(bright(row))])[0].tobytes(), range(12))) == alone


def test_what_went_before_leaves_nothing_in_a_batch_that_is_filled_up(tiny):
    """A network that mixes the pictures of a batch shows what stands beside one."""
    mixing = replace(tiny, module=Mixing(), dim=3)
    featurizer = ready(mixing)
    [first] = featurizer([encoded(bright(1))])[0]
    featurizer([encoded(bright(row)) for row in range(2, 6)])
    [again] = featurizer([encoded(bright(1))])[0]
    assert again.tobytes() == first.tobytes()


class Mixing(torch.nn.Module):
    """Means over all pictures of a batch, for each of them."""

    def forward(self, pixels):
        return pixels.mean((0, 2, 3)).expand(len(pixels), 3)


def test_the_precision_is_that_of_the_extraction(tiny):
    halved = replace(EXTRACTION, precision="bfloat16")
    featurizer = ready(tiny, halved)
    some = files(3)
    assert featurizer(some)[0].tobytes() == extract(some, tiny, halved).values.tobytes()


def test_there_is_none_before_an_engine_is_ready_nor_for_what_it_does_not_give(tiny, words, cache):
    assert picture_featurizer(tiny, EXTRACTION) is None
    assert ready(tiny) is not None
    assert picture_featurizer(tiny, replace(EXTRACTION, thumbs=True)) is None
    assert picture_featurizer(tiny, replace(EXTRACTION, cache=cache)) is None
    assert picture_featurizer(tiny, replace(EXTRACTION, lanes=2)) is None, "its engine is for one lane"
    extract(["a b"], words, EXTRACTION)
    assert picture_featurizer(words, EXTRACTION) is None


def test_there_is_none_on_a_gpu(tiny, monkeypatch):
    ready(tiny)
    monkeypatch.setattr(last_engine(tiny), "flight", 2)
    assert picture_featurizer(tiny, EXTRACTION) is None
