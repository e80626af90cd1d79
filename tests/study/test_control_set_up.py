"""The engine of the control from random weights, set up beside no-transfer: what fails there, what is interrupted or
killed, and that the figures are those of one after the other."""

from __future__ import annotations

import json
import os
import threading
import warnings
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from small import RESNET, bright

import headstart
from headstart.data.read import read
from headstart.evidence.assess import NO_TRANSFER
from headstart.features.engines.recorded import kept
from headstart.features.engines.select import SAFE
from headstart.features.extract import Extraction, make_ready
from headstart.features.feature_set import look
from headstart.features.held_pixels import HeldPixels
from headstart.listener import Logged
from headstart.methods.plan import Plan
from headstart.study import contenders, protocol, untransferred
from headstart.study.contenders import contenders_of
from headstart.study.content import packed

TORCH = Extraction(engine="torch", precision="float32")
RANDOM = "random-weights"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """12 pictures of each of three classes, which differ in the channel that is brighter."""
    folder = tmp_path_factory.mktemp("pictures")
    for row in range(36):
        place = folder / "rgb"[row % 3]
        place.mkdir(exist_ok=True)
        bright(row).save(place / f"{row}.png")
    return folder


@pytest.fixture
def rows(pictures, backbone, cache):
    return look(read(pictures), backbone, replace(TORCH, cache=cache), Logged())


def asked(rows, backbone, cache):
    """The contenders of one trial by name, to be asked."""
    how = (replace(TORCH, cache=cache), Logged())
    train, test = np.arange(0, len(rows), 2), np.arange(1, len(rows), 2)
    made = dict(contenders_of(rows, backbone, Plan("ridge"), *how))
    return {name: lambda contend=contend: contend(None, train, test) for name, contend in made.items()}


def in_turn(rows, backbone, cache):
    return {name: ask() for name, ask in asked(rows, backbone, cache).items()}


def bits(answers):
    return [part.tobytes() for part in packed(answers)]


class SetUps:
    """Stands before `make_ready`: how often it was called and in which thread; it may wait, and fail."""

    def __init__(self, monkeypatch, fail=None):
        self.threads, self.ended, self.fail, self.go = [], 0, fail, threading.Event()
        self.go.set()
        monkeypatch.setattr(contenders, "make_ready", self)

    def __call__(self, *arguments):
        self.threads.append(threading.current_thread())
        assert self.go.wait(100)
        self.ended += 1
        if self.fail is not None:
            raise self.fail
        make_ready(*arguments)


def test_it_is_set_up_once_beside_no_transfer_and_only_where_the_answer_is_not_held(rows, backbone, cache, monkeypatch):
    set_ups, filters = SetUps(monkeypatch), list(warnings.filters)
    ask = asked(rows, backbone, cache)
    ask[NO_TRANSFER]()
    assert [thread is threading.main_thread() for thread in set_ups.threads] == [False]
    assert not set_ups.threads[0].is_alive()
    ask[RANDOM]()
    ask[NO_TRANSFER]()
    assert len(set_ups.threads) == 1, "the twin has seen the rows"
    in_turn(rows, backbone, cache)
    assert len(set_ups.threads) == 1, "the answer is held"
    in_turn(rows, backbone, None)
    assert len(set_ups.threads) == 2
    assert warnings.filters == filters


def test_answers_are_those_of_one_after_the_other_to_the_bit(rows, backbone, monkeypatch):
    beside = in_turn(rows, backbone, None)
    monkeypatch.setattr(contenders._Untrained, "getting_ready", lambda *a: nullcontext())
    for name, answers in in_turn(rows, backbone, None).items():
        assert bits(answers) == bits(beside[name]), name


def test_what_fails_in_the_set_up_is_raised(rows, backbone, cache, monkeypatch):
    SetUps(monkeypatch, MemoryError("no room for the twin"))
    with pytest.raises(MemoryError, match="no room for the twin"):
        asked(rows, backbone, cache)[NO_TRANSFER]()


@pytest.mark.parametrize("error", [ValueError("no words"), KeyboardInterrupt()])
@pytest.mark.parametrize("both", [False, True])
def test_what_fails_beside_it_is_raised_when_the_set_up_has_ended(rows, backbone, cache, monkeypatch, error, both):
    set_ups = SetUps(monkeypatch, MemoryError("no room") if both else None)
    set_ups.go.clear()

    def fail(*arguments, **options):
        threading.Timer(0.1, set_ups.go.set).start()
        raise error

    monkeypatch.setattr(untransferred, "fit_untransferred", fail)
    with pytest.raises(type(error)) as raised:
        asked(rows, backbone, cache)[NO_TRANSFER]()
    assert raised.value is error
    assert set_ups.ended == 1
    monkeypatch.undo()
    after = in_turn(rows, backbone, cache)
    for name, answers in in_turn(rows, backbone, None).items():
        assert bits(answers) == bits(after[name]), name


def test_an_engine_is_made_ready_for_the_pass_that_follows(rows, backbone, cache):
    twin, how = backbone.random(1), replace(TORCH, cache=cache, lanes=2)
    make_ready(twin, rows.keys, how)
    ready = kept(SAFE, twin, 2)
    assert ready is not None
    look(rows.task, twin, how, Logged())
    assert kept(SAFE, twin, 2) is ready


def test_no_engine_is_made_ready_where_it_is_not_needed_or_has_to_be_chosen(rows, backbone, cache, monkeypatch):
    how = replace(TORCH, cache=cache, lanes=2)
    look(rows.task, backbone.random(2), how, Logged())
    again = backbone.random(2)
    make_ready(again, rows.keys, how)
    assert kept(SAFE, again, 2) is None, "all features are held"
    make_ready(again, [*rows.keys, b"another"], how)
    assert kept(SAFE, again, 2) is not None
    undecided = backbone.random(3)
    monkeypatch.setattr("headstart.features.engines.provider.settle", lambda *a: None)
    make_ready(undecided, rows.keys, how)
    assert kept(SAFE, undecided, 2) is None, "engines are timed alone"


@pytest.mark.slow
def test_pixels_are_given_back_when_the_control_has_seen_them(pictures, monkeypatch):
    stores = []

    class Watched(HeldPixels):
        def __init__(self):
            super().__init__()
            stores.append(self)

        def clear(self):
            self.most = len(self)
            super().clear()

    monkeypatch.setattr(protocol, "HeldPixels", Watched)
    headstart.fit(pictures, backbone=RESNET, method="ridge", engine="torch", cache=False)
    assert [(pixels.most, pixels.nbytes) for pixels in stores] == [(36, 0)]
    headstart.fit(pictures, backbone=RESNET, method="ridge", engine="torch", cache=False, control=False)
    headstart.fit(pictures, backbone=RESNET, method="head", engine="torch", cache=False, options={"epochs": 1})
    assert len(stores) == 1, "nobody sees the pictures again"


def figures(fitted):
    record = fitted.evidence_.to_json()
    return json.dumps({part: record[part] for part in ("metrics", "baselines", "gains", "verdict")}, sort_keys=True)


@pytest.mark.parametrize("source", [pytest.param(False, marks=pytest.mark.slow), True])
def test_figures_do_not_depend_on_pixels_that_are_held(pictures, tmp_path, monkeypatch, source):
    options = {"backbone": RESNET, "engine": "torch", "cache": False}
    options |= {"source": pictures, "method": "pooled"} if source else {"method": "ridge"}
    data = pictures
    if source:
        data = tmp_path / "target"
        for row in range(100, 124):
            (data / "rgb"[row % 3]).mkdir(parents=True, exist_ok=True)
            bright(row).save(data / "rgb"[row % 3] / f"{row}.png")
    with_pixels = headstart.fit(data, **options)
    monkeypatch.setattr(protocol, "HeldPixels", lambda: HeldPixels(0))
    anew = headstart.fit(data, **options)
    assert RANDOM in with_pixels.evidence_.baselines
    assert figures(with_pixels) == figures(anew)


KILLED = """
import json, os, signal, sys, threading
import headstart
from headstart.study import contenders

data, folder, moment = sys.argv[1:]
names = ("metrics", "baselines", "gains", "verdict")

def fit(cache, moment=""):
    os.environ["HEADSTART_CACHE"] = folder + "/" + cache
    look, make_ready = contenders.look, contenders.make_ready
    die = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
    if moment == "set-up":
        contenders.make_ready = die
    if moment == "pass":
        contenders.look = lambda *a: (threading.Timer(0.02, die).start(), look(*a), die())
    if moment == "head":
        contenders.fit_model = die
    record = headstart.fit(data, backbone="timm:test_resnet?weights=random", method="ridge", engine="torch")
    record = record.evidence_.to_json()
    with open(folder + "/" + cache + ".json", "w") as file:
        json.dump({name: record[name] for name in names}, file, sort_keys=True)

def child(*arguments):
    pid = os.fork()
    if pid == 0:
        try:
            fit(*arguments)
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1]

ends = [child("one", moment), child("one"), child("alone")]
files = [open(folder + "/" + name + ".json").read() for name in ("one", "alone")]
print(json.dumps({"ends": ends, "same": files[0] == files[1]}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
@pytest.mark.parametrize("moment", ["set-up", "pass", "head"])
def test_a_fit_that_is_killed_in_the_control_goes_on_to_the_same_figures(pictures, preloaded, tmp_path, moment):
    output = json.loads(preloaded.checked(KILLED, pictures, tmp_path, moment))
    assert output == {"ends": [9, 0, 0], "same": True}
