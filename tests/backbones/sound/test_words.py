"""Bundled backbones of sounds on real words: learnt from one recording by a man, asked of a woman, and back."""

import numpy as np
import pytest
import torch
from italian import both
from sounds import batch

from headstart.backbones.load import load
from headstart.data.sounds import clip_of
from headstart.data.waves import samples_of


@pytest.fixture(scope="module")
def words():
    """By speaker the waves of the 100 shortest words, at 16 kHz."""
    pairs = [[samples_of(clip_of(data), 16000) for data in pair] for pair in both().values()]
    pairs = sorted((pair for pair in pairs if min(map(len, pair)) > 3200), key=lambda pair: max(map(len, pair)))[:100]
    return [[pair[speaker] for pair in pairs] for speaker in (0, 1)]


def rows(module, waves, scale=1.0):
    with torch.inference_mode():
        parts = [module(*batch(*(scale * wave for wave in waves[at : at + 20]))) for at in range(0, len(waves), 20)]
    values = torch.cat(parts).numpy()
    values = (values - values.mean(0)) / (values.std(0) + 1e-6)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def one_shot(module, words, scale=1.0):
    """Mean accuracy of the nearest word of the other speaker, both ways."""
    man, woman = (rows(module, waves, scale) for waves in words)
    likeness = man @ woman.T
    right = np.arange(len(man))
    return ((likeness.argmax(0) == right).mean() + (likeness.argmax(1) == right).mean()) / 2


@pytest.mark.slow
def test_full_scale_of_the_speech_embedding_is_one(words):
    """In the range of 16-bit integers, in which some feed it, it tells fewer words."""
    module = load("bundled:speech-embedding").module
    accuracy = one_shot(module, words)
    assert accuracy > 0.6
    assert accuracy > one_shot(module, words, scale=32768.0) + 0.03


@pytest.mark.slow
def test_whisper_knows_words(words):
    few = [waves[:60] for waves in words]
    assert one_shot(load("bundled:whisper-base").module, few) > 0.6
