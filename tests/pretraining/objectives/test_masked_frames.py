"""Masked frames: which are hidden, that the network does not see them, and the cost against its formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tones import RATE, melody

from headstart import pretrain
from headstart.backbones.load import load
from headstart.errors import BackboneError
from headstart.pretraining.objectives.masked_frames import FrameStates, HiddenFrames, MaskedFrames, hidden_frame_cost

SMALL = "cbhg:8"


def test_runs_of_frames_are_hidden_within_each_clip_and_by_its_own_draw():
    waves, samples = np.zeros((50, 16000), np.float32), np.full(50, 16000)
    samples[1] = 400
    draws = [np.random.default_rng([3, row]) for row in range(50)]
    kept, counts, masks = HiddenFrames(0.2, 5)((waves, samples), [0] * 50, draws)
    assert kept is waves
    assert counts is samples
    assert masks.shape == (50, 101)
    assert not masks[1, 3:].any()
    assert masks.any(1).all()
    assert 0.13 < np.delete(masks, 1, 0).mean() < 0.21
    starts = np.flatnonzero(np.diff(np.pad(masks[0], 1).astype(int)) == 1)
    ends = np.flatnonzero(np.diff(np.pad(masks[0], 1).astype(int)) == -1)
    assert (ends - starts).min() >= 5
    alone = HiddenFrames(0.2, 5)((waves[7:8], samples[7:8]), [0], [np.random.default_rng([3, 7])])
    assert np.array_equal(alone[2][0], masks[7])


def test_the_network_does_not_see_what_is_hidden():
    module = load(SMALL).module.eval()
    wave = torch.from_numpy(melody(300.0, 0.5, RATE, np.random.default_rng(0)))[None, : RATE // 2]
    other = wave.clone()
    other[0, 3200:4800] = 0.0  # frames 20 to 29, and with the edges of windows 18 to 31
    samples, hidden = torch.tensor([wave.shape[1]]), torch.zeros(1, wave.shape[1] // 160 + 1, dtype=torch.bool)
    hidden[0, 17:33] = True
    states = FrameStates(module)
    with torch.no_grad():
        assert torch.equal(states(wave, samples, hidden), states(other, samples, hidden))
        nothing = torch.zeros_like(hidden)
        assert not torch.allclose(states(wave, samples, nothing), states(other, samples, nothing))
        assert torch.allclose(states(wave, samples, nothing).mean(1), module(wave, samples), atol=1e-6)


def test_the_cost_is_the_mean_distance_to_hidden_frames_in_deviations_of_their_clip():
    rng = np.random.default_rng(0)
    told, levels = rng.normal(size=(2, 6, 80)), rng.normal(3, 2, size=(2, 6, 80))
    counts, hidden = (6, 4), np.zeros((2, 6), bool)
    hidden[0, 1:3] = hidden[1, 3] = True
    terms = []
    for row, t in ((0, 1), (0, 2), (1, 3)):
        own = levels[row, : counts[row]]
        x = (levels[row, t] - own.mean(0)) / np.sqrt(own.var(0) + 1e-3)
        terms.append(np.abs(told[row, t] - x).mean())
    given = (torch.tensor(array) for array in (told, levels, hidden, np.array(counts)))
    assert hidden_frame_cost(*given).item() == pytest.approx(np.mean(terms), rel=1e-6)


def test_other_networks_and_options_are_refused():
    with pytest.raises(BackboneError, match=r"is no encoder over mel frames.*use --method next-sample"):
        MaskedFrames().suits(load("wavenet:1x1-2"))
    MaskedFrames().suits(load("tacotron2:8"))
    with pytest.raises(ValueError, match=r"hidden = 1: expected a share between 0 and 1"):
        MaskedFrames(hidden=1)
    with pytest.raises(ValueError, match=r"run = 0: expected 1 or more"):
        MaskedFrames(run=0)


@pytest.mark.slow
def test_an_encoder_learns_to_tell_frames_of_melodies():
    rng = np.random.default_rng(0)
    melodies = [(melody(pitch, 0.6, RATE, rng), RATE) for pitch in np.linspace(150, 900, 16)]
    options = {"epochs": 8, "batch": 4, "lr": 0.003}
    made = pretrain(melodies, backbone=SMALL, method="masked-frames", options=options, cache=False)
    losses = [curve["loss"] for curve in made.made.facts["curves"]]
    assert losses[-1] < losses[0] - 0.05
