from threading import Event, Thread

from headstart.features.cache.session import Session
from headstart.features.engines import provider as module
from headstart.features.engines.engine import Choice, Unfit
from headstart.features.engines.provider import Supply
from headstart.features.engines.select import SAFE, Wish, build


def test_nothing_is_built_before_it_is_wanted(tiny, cache):
    supply = Supply(tiny, 10, Wish(), 2, Session(cache))
    assert supply.choice[:3] == SAFE[:3]
    assert supply.store is not None
    assert supply.engine is None
    used = supply.used()
    assert (used.name, used.batch) == ("torch", 0)
    supply.provide()
    assert supply.ready.is_set()
    assert supply.used().batch == supply.engine.batch > 0


def test_a_lane_waits_for_it(tiny):
    supply = Supply(tiny, 10, Wish(), 2, Session(None))
    found = []
    lane = Thread(target=lambda: found.append(supply.wait(Event())))
    lane.start()
    assert supply.wanted.wait(100)
    supply.provide()
    lane.join(100)
    assert found == [supply.engine]


def test_a_lane_does_not_wait_for_a_run_that_was_stopped(tiny):
    stopped = Event()
    stopped.set()
    assert Supply(tiny, 10, Wish(), 2, Session(None)).wait(stopped) is None


def test_what_has_to_be_measured_is_known_later(tiny, cache, monkeypatch):
    choice = Choice("torch", "float32", "cpu", "measured")
    monkeypatch.setattr(module, "settle", lambda *a: None)
    monkeypatch.setattr(module, "measure", lambda *a: (choice, build(choice, tiny, 1)))
    supply = Supply(tiny, 1000, Wish(), 2, Session(cache))
    assert supply.store is None
    assert supply.used().name == "torch"
    supply.provide()
    assert supply.store is not None
    assert supply.choice == choice


def test_it_says_what_was_asked_for_and_cannot_be_had(tiny, monkeypatch):
    monkeypatch.setattr(module, "settle", lambda *a: SAFE._replace(why="openvino bfloat16 died"))
    supply = Supply(tiny, 10, Wish(engine="openvino", precision="bfloat16"), 2, Session(None))
    assert supply.notes == ["openvino bfloat16 was asked for, torch float32 on cpu is used: openvino bfloat16 died"]


def test_a_known_disagreement_is_not_tried_again(tiny, monkeypatch):
    def disagrees(*args):
        raise Unfit("openvino float32 does not agree")

    monkeypatch.setattr(module, "settle", lambda *a: Choice("openvino", "float32", "cpu", "asked for"))
    monkeypatch.setattr(module, "known_agreement", disagrees)
    supply = Supply(tiny, 10, Wish(), 2, Session(None))
    assert supply.choice[:3] == SAFE[:3]
    assert supply.notes == ["openvino float32 does not agree; torch float32 on cpu is used instead"]


def test_engines_precisions_and_backbones_have_stores_of_their_own(tiny, make, cache):
    session = Session(cache)
    stores = [
        Supply(backbone, 10, Wish("torch", precision), 2, session).store.folder
        for backbone in (tiny, make.backbone(1))
        for precision in ("float32",)
    ]
    for choice in (Choice("openvino", "float32", "cpu", ""), Choice("torch", "bfloat16", "cpu", "")):
        supply = Supply(tiny, 10, Wish("torch", "float32"), 2, session)
        supply._open(choice)
        stores.append(supply.store.folder)
    assert len(set(stores)) == 4
