"""Recordings: sums over the log-mel picture, cells that are silenced, stretches of time where there is no picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import spectral
import torch
from explained import fitted, head
from sounds import clip

from headstart.backbones.sound.speech_embedding import SpeechEmbedding
from headstart.explanations.explain import case_of, explain
from headstart.explanations.question import Question
from headstart.features.extraction import Extraction
from headstart.tasks import CLASSIFICATION
from headstart.tasks.audio import Clip

EXTRACTION = Extraction(engine="torch")
QUESTION = Question(kind=CLASSIFICATION, code=0)


def recording(seconds=0.6):
    wave = clip(seconds)
    return Clip(wave=wave[:, None], rate=16000, channels=1, frames=len(wave))


@pytest.fixture(scope="module")
def mel():
    torch.manual_seed(0)
    module = SpeechEmbedding().eval().requires_grad_(False)
    own = head(96, 2, mean=np.zeros(96), scale=np.ones(96))
    return fitted(replace(spectral.backbone(), module=module, dim=96), "audio", own, classes=("no", "yes"))


def test_the_picture_is_that_of_the_front_end_and_sums_are_complete(mel):
    case = case_of(mel.model_, recording(), EXTRACTION)
    assert case.shape == (8, 20)
    attribution = case.ways["integrated-gradients"](QUESTION)
    assert attribution.fine.shape == case.levels.shape
    assert attribution.values.sum() == pytest.approx(attribution.fine.sum(), rel=1e-6)
    assert attribution.gap < 0.02 * max(1e-3, abs(attribution.score - attribution.base))


def test_all_cells_give_the_recording_and_none_gives_silence(mel):
    case = case_of(mel.model_, recording(), EXTRACTION)
    asked = case.ask(np.array([[True] * 160, [False] * 160]))
    module = mel.model_.backbone.module
    waves = torch.from_numpy(np.stack([case.wave, np.zeros_like(case.wave)]))
    with torch.no_grad():
        x = module(waves, torch.tensor([len(case.wave)] * 2)).numpy()
    np.testing.assert_allclose(asked, mel.model_.head.predict(x), atol=1e-5)


def test_without_a_picture_stretches_of_time_are_silenced():
    model = fitted(spectral.backbone(width=6), "audio", head(6, 2), classes=("no", "yes"))
    case = case_of(model.model_, recording(), EXTRACTION)
    assert list(case.ways) == ["occlusion"]
    assert case.without["integrated-gradients"] == "its backbone makes no log-mel picture"
    kept = np.ones((1, 20), bool)
    kept[0, :10] = False
    wave = case.wave.copy()
    wave[: len(wave) // 2] = 0
    own = model.model_.backbone.module(torch.from_numpy(wave)[None], torch.tensor([len(wave)])).detach().numpy()
    np.testing.assert_allclose(case.ask(kept), model.model_.head.predict(own), atol=1e-5)


def test_of_a_long_recording_the_first_window_is_explained():
    model = fitted(spectral.backbone(width=6), "audio", head(6, 2), classes=("no", "yes"))
    explanation = explain(model, task_of(recording(2.0)), check=False)[0]
    assert explanation.seconds == 1.0
    assert any("only the first 1 s are explained" in note for note in explanation.notes)


def task_of(sound):
    from headstart.tasks.task import Task

    return Task(inputs=[sound], targets=None, kind="classification", modality="audio", names=["row 0"])
