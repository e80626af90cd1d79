"""In which precision a CPU trains: float32 unless the training is long, the processor can, and bfloat16 is faster."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from headstart.backbones.load import load
from headstart.features.cache.memory import Memory
from headstart.features.engines import processor
from headstart.features.engines.support import obstacle
from headstart.features.extract import Extraction
from headstart.training import precision as module
from headstart.training.device import settle
from headstart.training.options import Training
from headstart.training.precision import CPUPrecision, Pass, cpu_precision, faster

CPU = Extraction(device="cpu")


def one_pass(seconds, loss=2.0, gradient=(1.0, 2.0, -3.0)):
    """A pass whose gradient is that of two tensors."""
    values = torch.tensor(gradient)
    return Pass(seconds, loss, [values[:1], values[1:].reshape(1, -1)])


@pytest.mark.parametrize(
    ("narrow", "precision", "why"),
    [
        (one_pass(1.0), "bfloat16", "measured"),
        (one_pass(1.9), "float32", "measured"),
        (one_pass(3.0), "float32", "measured"),
        (one_pass(1.0, loss=2.03), "bfloat16", "measured"),
        (one_pass(1.0, loss=2.05), "float32", "does not agree"),
        (one_pass(1.0, loss=float("nan")), "float32", "does not agree"),
        (one_pass(1.0, gradient=(1.1, 1.9, -3.0)), "bfloat16", "measured"),
        (one_pass(1.0, gradient=(3.0, 2.0, 1.0)), "float32", "does not agree"),
        (one_pass(1.0, gradient=(0.0, 0.0, 0.0)), "float32", "does not agree"),
        (one_pass(1.0, gradient=(float("nan"), 2.0, -3.0)), "float32", "does not agree"),
    ],
)
def test_bfloat16_is_taken_where_it_agrees_and_is_faster(narrow, precision, why):
    choice = faster(one_pass(2.0), narrow)
    assert choice.precision == precision
    assert why in choice.why


def test_the_cosine_of_a_long_gradient_is_summed_precisely():
    some = torch.randn(3_000_000) + 5
    assert module._cosine([some], [some]) == pytest.approx(1, abs=1e-12)


def test_a_short_training_is_float32_and_nothing_is_measured(backbone, monkeypatch):
    monkeypatch.setattr(processor, "has_bfloat16", lambda: True)
    monkeypatch.setattr(module, "_Trial", None)  # would be called
    assert cpu_precision(backbone, 999, 16, Memory(None)) == CPUPrecision("float32", "")


def test_a_trial_hears_two_seconds_of_recordings_however_long_they_may_be():
    wavenet = load("wavenet:2x1-4")
    assert wavenet.preprocess.max_samples > 10 * module.SECONDS * wavenet.preprocess.rate
    waves, samples = module._Trial(wavenet, 3).inputs
    assert waves.shape == (3, module.SECONDS * wavenet.preprocess.rate)
    assert samples.max() == waves.shape[1]


def test_a_processor_without_bfloat16_is_not_tried(backbone, monkeypatch):
    monkeypatch.setattr(processor, "has_bfloat16", lambda: False)
    monkeypatch.setattr(module, "_Trial", None)
    assert cpu_precision(backbone, 10**9, 16, Memory(None)) == CPUPrecision("float32", "")


def test_a_small_network_is_not_worth_more_than_one_step(backbone, monkeypatch):
    monkeypatch.setattr(processor, "has_bfloat16", lambda: True)
    monkeypatch.setattr(module, "WORTH", 1e9)
    monkeypatch.setattr(module, "obstacle", None)
    memory = Memory(None)
    assert cpu_precision(backbone, 1000, 16, memory) == CPUPrecision("float32", "")
    assert not memory._here


def test_what_stops_bfloat16_is_told(backbone, monkeypatch):
    monkeypatch.setattr(processor, "has_bfloat16", lambda: True)
    monkeypatch.setattr(module, "WORTH", 0.0)
    monkeypatch.setattr(module, "obstacle", lambda *_: "torch bfloat16 died of SIGILL when it was tried")
    choice = cpu_precision(backbone, 1000, 16, Memory(None))
    assert choice == CPUPrecision("float32", "torch bfloat16 died of SIGILL when it was tried")


@pytest.mark.slow
def test_a_choice_is_measured_once_and_remembered(backbone, tmp_path, monkeypatch):
    if not processor.has_bfloat16() or obstacle("torch", "bfloat16", Memory(None)):
        pytest.skip("this processor cannot calculate in bfloat16")
    monkeypatch.setattr(module, "WORTH", 0.0)
    weights = {name: value.clone() for name, value in backbone.module.state_dict().items()}
    choice = cpu_precision(backbone, 1000, 4, Memory(tmp_path))
    assert choice.why.startswith("measured: a step takes")
    assert all(torch.equal(weights[name], value) for name, value in backbone.module.state_dict().items())
    assert not any(value.requires_grad for value in backbone.module.parameters())
    monkeypatch.setattr(module, "_Trial", None)
    assert cpu_precision(backbone, 1000, 4, Memory(tmp_path)) == choice  # another process


@pytest.mark.parametrize(
    ("choice", "notes"), [("bfloat16", ("trained in bfloat16 (measured: fast)",)), ("float32", ())]
)
def test_a_training_goes_by_what_was_chosen(backbone, monkeypatch, choice, notes):
    passes = []

    def chosen(backbone, rows, batch, memory):
        passes.append((rows, batch))
        return CPUPrecision(choice, "measured: fast")

    monkeypatch.setattr("headstart.training.device.cpu_precision", chosen)
    training = Training(epochs=3, batch=8)
    device, settled, told = settle(training, CPU, backbone, 200)
    assert (device.type, settled.precision, told) == ("cpu", choice, notes)
    settle(training, CPU, backbone, 2000)
    assert passes == [(1200, 8), (6000, 8)]  # few rows are trained on twice
    assert settle(replace(training, precision="float32"), CPU, backbone, 200)[1:] == (
        replace(training, precision="float32"),
        (),
    )
    assert len(passes) == 2
