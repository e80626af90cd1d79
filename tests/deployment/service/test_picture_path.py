"""The short way of pictures gives the numbers and the words of the long one, for models of every make."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from explained import fitted, head
from serving import jpeg, png

import headstart as hs
from headstart.artefact.model import Member
from headstart.deployment.service.picture_path import picture_path
from headstart.deployment.service.served import Served, load_served
from headstart.errors import DataError
from headstart.features.engines.engine import Unfit
from headstart.features.engines.openvino_engine import OpenVINOEngine
from headstart.features.engines.recorded import last_engine
from headstart.features.engines.rescue import RescuedEngine
from headstart.features.engines.torch_engine import TorchEngine
from headstart.features.extraction import Extraction
from headstart.features.picture_input import Source

SOME = [jpeg(0), b"hello", png(1), jpeg(2)[:300], b"", png(3), jpeg(4)]


def served(model):
    """As `load_served` makes it, on torch."""
    extraction = Extraction(engine="torch", precision="float32", device="cpu", lanes=1, thumbs=False)
    return Served(fitted=model, fingerprint="0", extraction=extraction)


def same(own):
    """The answers by both ways, which are equal to the last bit."""
    long = own.answers(SOME)
    assert own._path == []
    short = own.answers(SOME)
    assert own._path, "the long way was gone again"
    for one, other in zip(short, long, strict=True):
        assert (one.why, one.outlier) == (other.why, other.outlier)
        for mine, theirs in ((one.values, other.values), (one.features, other.features)):
            assert (mine is None) == (theirs is None)
            assert mine is None or mine.tobytes() == theirs.tobytes()
    assert [answer.values is None for answer in short] == [False, True, False, True, True, False, False]


def test_one_network(saved):
    same(load_served(saved["image"], device="cpu"))


def test_two_networks_and_two_heads_on_one(tiny, make):
    model, other = fitted(tiny, "image", head(6)), fitted(make.backbone(1), "image", head(6, seed=1)).model_
    again = fitted(tiny, "image", head(6, seed=2)).model_
    model.hold(replace(model.model_, beside=(Member(0.3, other), Member(0.2, again))))
    own = served(model)
    same(own)
    assert len(set(own._path[0]._featurizers)) == 2


def test_one_member_that_stands_on_more_than_features_sends_all_the_long_way(tiny):
    model = fitted(tiny, "image", head(6))
    pictures = [np.full((20, 20, 3), 80 * (row % 3), np.uint8) for row in range(30)]
    described = hs.Transfer(method="no-transfer", cache=False).fit(pictures, [row % 3 for row in range(30)])
    own = served(model)
    own.answers(SOME)
    assert picture_path(own.model, own.extraction) is not None
    for beside in (described.model_, replace(model.model_, encoder=({}, {}))):
        both = replace(model.model_, beside=(Member(0.3, beside),))
        assert picture_path(both, own.extraction) is None


def test_one_picture_is_one_row_too_where_its_engine_was_ready_before_that_was_found_out(tiny, monkeypatch):
    """As in a worker of a service, which inherits an engine of torch."""
    own = served(fitted(tiny, "image", head(6)))
    own.answers(SOME)
    whole = own.answers([png(1)])
    assert own._path
    rows = []
    lane = RescuedEngine.lane

    def counted(engine):
        run = lane(engine)
        return lambda pixels: (rows.append(len(pixels)), run(pixels))[1]

    monkeypatch.setattr(RescuedEngine, "lane", counted)
    single = own.allow_single_inputs()
    [answer] = own.answers([png(1)])
    assert rows == [1 if single else last_engine(tiny).batch]
    assert answer.values.tobytes() == whole[0].values.tobytes()


@pytest.mark.usefixtures("has_openvino")
def test_an_engine_that_fails_gives_way_to_that_of_the_long_way(tiny, monkeypatch):
    own = served(fitted(tiny, "image", head(6)))
    own = replace(own, extraction=replace(own.extraction, engine="openvino"))
    before = [own.answers(SOME), own.answers(SOME)][1]

    def broken(engine):
        def run(*inputs):
            raise Unfit("no kernel")

        return run

    monkeypatch.setattr(OpenVINOEngine, "lane", broken)
    own._path.clear()
    assert picture_path(own.model, own.extraction) is not None
    for _ in range(2):
        after = own.answers(SOME)
        assert last_engine(tiny).__class__ is TorchEngine
        for one, other in zip(after, before, strict=True):
            assert one.why == other.why
            assert other.values is None or np.allclose(one.values, other.values, atol=1e-4)


def test_a_picture_that_can_be_read_only_once_is_told_of(tiny, make, monkeypatch):
    model, other = fitted(tiny, "image", head(6)), fitted(make.backbone(1), "image", head(6, seed=1)).model_
    model.hold(replace(model.model_, beside=(Member(0.3, other),)))
    own = served(model)
    own.answers(SOME)
    decode, seen = Source.decode, []

    def once(source, **options):
        seen.append(source.key)
        if seen.count(source.key) > 1:
            raise DataError("gone")
        return decode(source, **options)

    monkeypatch.setattr(Source, "decode", once)
    with pytest.raises(DataError, match="4 inputs could be read once, and not a second time"):
        own.answers(SOME)


def test_models_without_a_network_and_of_other_modalities_go_the_long_way(saved):
    for name in saved:
        own = load_served(saved[name], device="cpu")
        if own.model.modality != "image":
            assert picture_path(own.model, own.extraction) is None
