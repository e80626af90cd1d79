"""`--modality` where a folder could be two things, and `sample_rate` of a fit on waves."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from tones import RATE, melody, words

import headstart as hs

SMALL = "wavenet:2x1-4"


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Sixteen recordings and two pictures."""
    folder = words(tmp_path_factory.mktemp("mixed") / "data", each=8)
    for name in ("low", "high"):
        Image.new("RGB", (32, 32), "red" if name == "low" else "blue").save(folder / name / "cover.png")
    return folder


@pytest.mark.parametrize(
    "verb", [("rank",), ("compare",), ("curve",), ("few-shot", "--out", "learner")], ids=lambda verb: verb[0]
)
def test_an_unknown_one_is_refused(run, mixed, verb):
    done = run(verb[0], mixed, *verb[1:], "--modality", "smell")
    assert done.code == 2
    assert "modality must be 'image', " in " ".join(done.err.split())


@pytest.mark.slow
def test_rank_takes_the_recordings_of_a_mixed_folder(run, mixed):
    done = run("rank", mixed, "--candidates", SMALL, "--modality", "audio", "--engine", "torch", "--json")
    assert done.code == 0, done.err
    assert [place["name"].partition("?")[0] for place in done.json["places"]] == [SMALL]
    assert done.json["places"][0]["rows"] == 16


def test_fit_takes_the_rate_of_waves():
    rng = np.random.default_rng(0)
    waves = [melody(pitch, 0.3, RATE, rng) for pitch in (200.0, 900.0) for _ in range(8)]
    data = {"wave": waves, "label": ["low"] * 8 + ["high"] * 8}
    model = hs.fit(data, backbone=SMALL, method="ridge", sample_rate=RATE, control=False, cache=False)
    assert model.model_.modality == "audio"
    assert model.predict([(waves[0], RATE)]).shape == (1,)
