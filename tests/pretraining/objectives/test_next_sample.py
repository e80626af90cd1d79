"""Next samples: the cost against its formula, what the network may see, and what it is for."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tones import RATE, melody

from headstart import pretrain
from headstart.backbones.load import load
from headstart.backbones.sound.pooling import mean_over_time
from headstart.backbones.sound.wavenet import mu_law
from headstart.errors import BackboneError
from headstart.pretraining.objective import Encoded
from headstart.pretraining.objectives.next_sample import NextSample, next_sample_cost, shortened

SMALL = "wavenet:3x2-6"


def test_the_cost_is_the_cross_entropy_of_each_next_class_of_each_clip():
    rng = np.random.default_rng(0)
    logits, classes = rng.normal(size=(2, 5, 4)), rng.integers(0, 4, (2, 5))
    terms = []
    for row, samples in enumerate((5, 3)):
        for t in range(samples - 1):
            shares = np.exp(logits[row, t]) / np.exp(logits[row, t]).sum()
            terms.append(-math.log(shares[classes[row, t + 1]]))
    cost = next_sample_cost(torch.tensor(logits), torch.tensor(classes), torch.tensor([5, 3]))
    assert cost.item() == pytest.approx(np.mean(terms), rel=1e-5)
    assert next_sample_cost(torch.tensor(logits), torch.tensor(classes), torch.tensor([1, 1])).item() == 0


def test_no_answer_depends_on_the_sample_that_it_tells():
    backbone, objective = load(SMALL), NextSample()
    encoder = objective.encoder(backbone.module)
    learner = objective.learner(encoder, backbone.dim)
    waves = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (1, 60)).astype(np.float32))
    changed = waves.clone()
    changed[0, 40:] *= -1
    samples = torch.tensor([60])
    with torch.no_grad():
        before, after = (learner.g(encoder(wave, samples)) for wave in (waves, changed))
    assert torch.equal(before[0, :40], after[0, :40])
    assert not torch.allclose(before[0, 40:], after[0, 40:])
    with torch.no_grad():
        pooled = mean_over_time(encoder(waves, samples), samples)
        assert torch.allclose(pooled, backbone.module(waves, samples))
        cost = learner(Encoded(encoder(waves, samples), (waves, samples), encoder, 0.0, torch.arange(1)))
    classes = mu_law(waves, 256)
    assert cost.item() == pytest.approx(next_sample_cost(before, classes, samples).item(), rel=1e-6)


def test_what_it_learns_from_is_a_part_of_the_recording():
    form = shortened(load(SMALL).preprocess, 0.5)
    assert (form.max_samples, form.min_samples) == (8000, 400)
    assert shortened(form, 1e-6).max_samples == 400
    assert shortened(form, 99.0).max_samples == 8000
    with pytest.raises(ValueError, match=r"seconds=0: expected a finite number, more than 0"):
        NextSample(seconds=0)


def test_other_networks_are_refused_with_what_to_type_instead():
    with pytest.raises(BackboneError, match=r"does not see samples one after the other.*--method masked-frames"):
        NextSample().suits(load("cbhg:8"))


@pytest.mark.slow
def test_a_wavenet_learns_to_tell_the_samples_of_tones(tmp_path):
    rng = np.random.default_rng(0)
    tones = [(melody(pitch, 0.2, RATE, rng), RATE) for pitch in np.linspace(150, 600, 16)]
    options = {"epochs": 8, "batch": 4, "seconds": 0.05, "lr": 0.01}
    made = pretrain(tones, backbone=SMALL, method="next-sample", options=options, out=tmp_path / "mine", cache=False)
    losses = [curve["loss"] for curve in made.made.facts["curves"]]
    assert losses[-1] < losses[0] - 0.15
    assert losses[-1] < math.log(256) - 0.1
    again = load(f"file:{tmp_path / 'mine'}")
    assert again.fingerprint == made.backbone.fingerprint
    assert again.preprocess == load(SMALL).preprocess
