import gc
import weakref
from dataclasses import replace

import pytest

from headstart.features.engines.engine import Choice
from headstart.features.engines.recorded import keep, kept
from headstart.features.engines.select import SAFE, build
from headstart.features.extract import Extraction, extract
from headstart.features.quiet import quiet


def test_it_is_the_same_engine_as_long_as_all_is_the_same(tiny, make):
    engine = build(SAFE, tiny, 2)
    assert kept(SAFE, tiny, 2) is None
    keep(engine, SAFE, tiny, 2)
    assert kept(SAFE._replace(why="another reason"), tiny, 2) is engine
    assert kept(SAFE, replace(tiny, name="other"), 2) is engine
    assert kept(SAFE, tiny, 1) is None
    assert kept(SAFE, make.backbone(0), 2) is None
    assert kept(SAFE, replace(tiny, fingerprint="other"), 2) is None
    assert kept(Choice("torch", "bfloat16", "cpu", ""), tiny, 2) is None
    other = build(SAFE, tiny, 1)
    keep(other, SAFE, tiny, 1)
    assert kept(SAFE, tiny, 2) is None
    assert kept(SAFE, tiny, 1) is other


@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_it_goes_with_the_backbone(make, name):
    if name == "openvino":
        pytest.importorskip("openvino")
    backbone = make.backbone(0)
    choice = Choice(name, "float32", "cpu", "")
    with quiet():
        keep(build(choice, backbone, 1), choice, backbone, 1)
    gone = weakref.ref(backbone.module)
    del backbone
    gc.collect()
    assert gone() is None


def test_a_second_call_builds_nothing(tiny, photos, monkeypatch):
    options = Extraction(engine="torch", precision="float32")
    first = extract(photos, tiny, options)
    monkeypatch.setattr("headstart.features.engines.provider.built", lambda *a: 1 / 0)
    assert (extract(photos, tiny, options).values == first.values).all()


def test_nothing_is_kept_for_what_has_no_network(tiny):
    nothing = replace(tiny, module=None)
    keep(build(SAFE, tiny, 1), SAFE, nothing, 1)
    assert kept(SAFE, nothing, 1) is None
