import pytest
import torch

from headstart.features.cache.memory import Memory
from headstart.features.engines import processor, select
from headstart.features.engines.engine import Agreement, Choice, Unfit
from headstart.features.engines.select import FEW, SAFE, Wish, agreement, build, known_agreement, measure, settle
from headstart.features.quiet import quiet

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="the rule for a CPU")

SPEED = {
    ("torch", "float32"): 1.0,
    ("openvino", "float32"): 1.0,
    ("torch", "bfloat16"): 1.0,
    ("openvino", "bfloat16"): 1.0,
}


@pytest.fixture
def machine(monkeypatch):
    """A machine on which these engines work and are so many times as fast; which of them were built and timed."""

    def set_up(speed, obstacles=None):
        tried = []

        def obstacle(name, precision, memory, try_it=True):
            return "" if (name, precision) in speed else f"{name} {precision} does not work"

        def fake_build(choice, backbone, lanes):
            tried.append((choice.name, choice.precision))
            return choice

        def seconds(engine, inputs):
            return 1 / speed[engine[:2]]

        monkeypatch.setattr(select, "obstacle", obstacle)
        monkeypatch.setattr(select, "build", fake_build)
        monkeypatch.setattr(select, "seconds", seconds)
        monkeypatch.setattr(select, "agreement", lambda *a: None)
        return tried

    return set_up


def chosen(backbone, rows, wish, memory):
    return (settle(backbone, rows, wish, memory) or measure(backbone, rows, wish, memory, 2)[0])[:2]


@pytest.mark.parametrize(
    ("speed", "expected"),
    [
        ({}, ("torch", "float32")),
        ({"torch float32": 1.0}, ("torch", "float32")),
        ({"torch float32": 1.0, "openvino float32": 2.0}, ("openvino", "float32")),
        ({"torch float32": 1.0, "openvino float32": 1.1}, ("torch", "float32")),
        ({"torch float32": 1.0, "openvino float32": 2.0, "openvino bfloat16": 2.2}, ("openvino", "float32")),
        ({"torch float32": 1.0, "openvino float32": 2.0, "openvino bfloat16": 4.0}, ("openvino", "bfloat16")),
        ({"torch float32": 1.0, "openvino float32": 2.0, "torch bfloat16": 9.0}, ("openvino", "float32")),
        ({"torch float32": 1.0, "torch bfloat16": 2.0}, ("torch", "bfloat16")),
        ({"torch float32": 1.0, "torch bfloat16": 1.1}, ("torch", "float32")),
    ],
)
def test_the_rule(tiny, machine, speed, expected):
    machine({tuple(name.split()): value for name, value in speed.items()})
    assert chosen(tiny, FEW, Wish(), Memory(None)) == expected


def test_few_inputs_are_not_measured(tiny, machine):
    tried = machine(SPEED)
    assert settle(tiny, FEW - 1, Wish(), Memory(None)) == SAFE._replace(why="fewer than 256 inputs")
    assert settle(tiny, FEW - 1, Wish(engine="openvino"), Memory(None))[:2] == ("openvino", "float32")
    assert tried == []


def test_a_choice_is_remembered_for_the_architecture_and_holds_for_few_inputs_too(tiny, make, machine, tmp_path):
    tried = machine({("torch", "float32"): 1.0, ("openvino", "float32"): 3.0})
    assert chosen(tiny, FEW, Wish(), Memory(tmp_path)) == ("openvino", "float32")
    assert tried == [("torch", "float32"), ("openvino", "float32")]
    machine({("torch", "float32"): 9.0})
    for backbone, rows in ((tiny, FEW), (tiny, 1), (make.backbone(7), FEW)):
        assert settle(backbone, rows, Wish(), Memory(tmp_path))[:2] == ("openvino", "float32")
    other = make.backbone(0, dim=9)
    assert settle(other, FEW, Wish(), Memory(tmp_path)) != settle(tiny, FEW, Wish(), Memory(tmp_path))
    assert settle(tiny, FEW, Wish(engine="torch"), Memory(tmp_path))[:2] == ("torch", "float32")


def test_what_was_asked_for_is_not_measured(tiny, machine):
    tried = machine(SPEED)
    choice = settle(tiny, FEW, Wish(engine="torch", precision="bfloat16"), Memory(None))
    assert choice == Choice("torch", "bfloat16", "cpu", "asked for")
    assert tried == []


def test_what_was_asked_for_and_cannot_be_had_becomes_torch_float32(tiny, machine):
    machine({("torch", "float32"): 1.0})
    choice = settle(tiny, FEW, Wish(engine="openvino", precision="bfloat16"), Memory(None))
    assert choice == SAFE._replace(why="openvino bfloat16 does not work")


def test_what_was_not_tried_yet_is_tried_later(tiny, monkeypatch):
    asked = []

    def obstacle(name, precision, memory, try_it=True):
        asked.append(try_it)
        return "no" if try_it else None

    monkeypatch.setattr(select, "obstacle", obstacle)
    wish = Wish(engine="openvino", precision="bfloat16")
    assert settle(tiny, FEW, wish, Memory(None)) is None
    assert asked == [False]
    assert measure(tiny, FEW, wish, Memory(None), 1)[0] == SAFE._replace(why="no")
    assert asked == [False, True]


def test_an_engine_that_turns_out_unfit_is_passed_over(tiny, machine, monkeypatch):
    machine({("torch", "float32"): 1.0, ("openvino", "float32"): 3.0})

    def disagrees(choice, *rest):
        if choice.name == "openvino":
            raise Unfit("openvino float32 on cpu does not agree")

    monkeypatch.setattr(select, "agreement", disagrees)
    choice, _ = measure(tiny, FEW, Wish(), Memory(None), 1)
    assert choice[:2] == ("torch", "float32")
    assert "does not agree" in choice.why


def test_all_unfit_is_torch_float32(tiny, machine, monkeypatch):
    machine({("torch", "bfloat16"): 1.0, ("openvino", "bfloat16"): 3.0})
    monkeypatch.setattr(select, "agreement", lambda *a: (_ for _ in ()).throw(Unfit("no")))
    assert measure(tiny, FEW, Wish(precision="bfloat16"), Memory(None), 1)[0][:3] == SAFE[:3]


@pytest.mark.usefixtures("has_openvino", "no_bfloat16")
@quiet()
def test_the_real_thing(tiny, words, tmp_path):
    for backbone in (tiny, words):
        choice, engine = measure(backbone, FEW, Wish(), Memory(tmp_path), 2)
        assert "ms an input and core" in choice.why
        assert engine.batch > 0
        assert settle(backbone, FEW, Wish(), Memory(tmp_path)) == choice


@pytest.mark.usefixtures("has_openvino")
@quiet()
def test_agreement_is_measured_once_for_the_weights(tiny, make, tmp_path):
    choice = Choice("openvino", "float32", "cpu", "")
    assert known_agreement(choice, tiny, Memory(tmp_path)) is None
    found = agreement(choice, build(choice, tiny, 1), tiny, Memory(tmp_path))
    assert found.cosine > 0.99999
    assert found.error < 1e-4
    assert known_agreement(choice, tiny, Memory(tmp_path)) == found
    assert known_agreement(choice, make.backbone(1), Memory(tmp_path)) is None
    assert agreement(SAFE, build(SAFE, tiny, 1), tiny, Memory(tmp_path)) is None


def test_disagreement_is_unfit_and_remembered(tiny, make, tmp_path):
    choice = Choice("torch", "bfloat16", "cpu", "")
    other = build(choice, make.backbone(1), 1)
    for look in (lambda m: agreement(choice, other, tiny, m), lambda m: known_agreement(choice, tiny, m)):
        with pytest.raises(Unfit, match="torch bfloat16 on cpu does not agree with torch float32 on a probe batch"):
            look(Memory(tmp_path))


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"engine": "tensorflow"}, "engine = 'tensorflow': expected one of 'auto', 'torch', 'openvino'"),
        ({"precision": "int8"}, "precision = 'int8': expected one of 'auto', 'float32', 'bfloat16'"),
        ({"device": "tpu"}, "device = 'tpu': expected 'auto', 'cpu', 'cuda' or one of several, as 'cuda:1'"),
        ({"device": "cuda:-1"}, "device = 'cuda:-1': expected 'auto'"),
        ({"device": "cuda"}, "device = 'cuda': torch finds no CUDA device here"),
        ({"device": "cuda:1"}, "device = 'cuda:1': torch finds no CUDA device here"),
    ],
)
def test_wishes_that_cannot_be(wish, words):
    with pytest.raises(ValueError, match=words):
        Wish(**wish)


def test_openvino_on_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ValueError, match="engine = 'openvino' runs on the CPU"):
        Wish(engine="openvino", device="cuda")


def test_a_cuda_device_is_used(tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert settle(tiny, 1, Wish(device="cuda:1"), Memory(None)).device == "cuda:1"
    with pytest.raises(ValueError, match="torch finds 2 CUDA devices, from 'cuda:0', here"):
        Wish(device="cuda:2")
    why = "a CUDA device is there"
    assert settle(tiny, 1, Wish(), Memory(None)) == Choice("torch", "bfloat16", "cuda", why)
    assert settle(tiny, 1, Wish(precision="float32"), Memory(None)) == Choice("torch", "float32", "cuda", why)
    assert settle(tiny, 1, Wish(device="cpu"), Memory(None))[:3] == SAFE[:3]


def test_the_subject_names_the_processor(tiny, monkeypatch):
    before = select._subject(tiny, Wish())
    monkeypatch.setattr(processor, "identity", lambda: "another")
    assert select._subject(tiny, Wish()) != before


def test_an_agreement_in_numbers():
    assert Agreement(**Agreement(1.0, 1.0, 0.0)._asdict()) == Agreement(1.0, 1.0, 0.0)
