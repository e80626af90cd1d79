"""Networks of sounds learn, are cut where that is exact, and come back from a folder in a process of their own."""

import numpy as np
import pytest
import torch
from sounds import batch, clip

from headstart import Transfer
from headstart.backbones.assemble import assemble, build
from headstart.backbones.load import load
from headstart.backbones.parts import Parts
from headstart.data.sounds import clip_of
from headstart.network import Network
from headstart.preprocessing.sound import SoundPreprocess
from headstart.training.cut import Below, find_cut

EMBEDDING = "bundled:speech-embedding"


@pytest.fixture(scope="module")
def sounds():
    """Tones of two pitches, of different lengths and loudness."""
    rng = np.random.default_rng(0)
    waves = []
    for row in range(16):
        at = np.arange(int(16000 * rng.uniform(0.3, 0.6))) / 16000
        tone = np.sin(2 * np.pi * (300 + 500 * (row % 2) + rng.uniform(-30, 30)) * at)
        waves.append((rng.uniform(0.05, 0.5) * tone + rng.normal(0, 0.01, len(at))).astype(np.float32))
    return [clip_of((wave, 16000)) for wave in waves], np.array(["low", "high"] * 8)


@pytest.mark.parametrize(
    ("name", "method", "options", "stages"),
    [
        (EMBEDDING, "top", {}, ["last"]),
        (EMBEDDING, "gradual", {"stages": "2"}, ["blocks.4", "last"]),
        (EMBEDDING, "lora", {"stages": "2"}, ["blocks.4", "last"]),
        (f"{EMBEDDING}@3", "top", {}, ["network.blocks.3"]),
        ("bundled:ge2e", "top", {"stages": "2"}, ["layers.2", "linear"]),
        ("tacotron2:8", "fine-tune", {}, ["inputs", "convolutions.0", "convolutions.1", "convolutions.2", "recurrent"]),
        ("wavenet:2x1-4", "top", {}, ["conv_layers.1"]),
        ("spectrogram+timm:test_vit?weights=random", "top", {}, ["network.blocks.5"]),
    ],
)
def test_what_a_method_names_moves_and_nothing_else(name, method, options, stages, sounds):
    clips, labels = sounds
    before = load(name)
    model = Transfer(name, method, options={"epochs": "2", "batch": "4", "validation": "0", **options}, seed=0).fit(
        clips, labels
    )
    after = dict(model.backbone_.module.named_parameters())
    changed = {key for key, value in before.module.named_parameters() if not torch.equal(value, after[key])}
    assert [stage for stage, prefixes in before.stages if any(key.startswith(prefixes) for key in changed)] == stages


def test_a_probe_tells_tones_apart_and_comes_back_the_same(sounds, tmp_path, preloaded):
    clips, labels = sounds
    model = Transfer(EMBEDDING, "probe").fit(clips, labels)
    assert model.score(clips, labels) == 1.0
    model.save(tmp_path / "model")
    np.save(tmp_path / "waves.npy", np.stack([clip.wave[:4000, 0] for clip in clips]))
    np.save(tmp_path / "features.npy", model.transform([clip_of((clip.wave[:4000, 0], 16000)) for clip in clips]))
    preloaded.checked(
        "import numpy as np\n"
        "from headstart import Transfer\n"
        "from headstart.data.sounds import clip_of\n"
        f"model = Transfer.load({str(tmp_path / 'model')!r})\n"
        f"waves = np.load({str(tmp_path / 'waves.npy')!r})\n"
        "found = model.transform([clip_of((wave, 16000)) for wave in waves])\n"
        f"np.testing.assert_array_equal(found, np.load({str(tmp_path / 'features.npy')!r}))\n"
    )


WHISPER = {
    "network": "whisper",
    "sizes": {"width": 16, "layers": 2, "heads": 2, "inner": 16, "mels": 8, "positions": 40, "least": 20},
}


@pytest.fixture
def small_whisper():
    """Clips up to .4 seconds have one length in it, longer ones their own."""
    spec = {"hub": "sound", **WHISPER}
    preprocess = SoundPreprocess(rate=16000, max_samples=12800, min_samples=400)
    return assemble(Parts("small", spec, build(spec), preprocess))


@pytest.mark.parametrize(("seconds", "place"), [(0.35, "layers.0"), (0.7, None)])
def test_a_cut_is_made_only_where_it_holds_for_the_longest_clip(seconds, place, small_whisper):
    network = Network(small_whisper, torch.nn.Linear(16, 2))
    network.open(network.top(1))
    preprocess = SoundPreprocess(rate=16000, max_samples=4000, min_samples=400)  # tries .1 to .2 seconds
    cut = find_cut(network.backbone, batch(clip(seconds)), preprocess)
    assert (None if cut is None else cut.place) == place
    if cut is not None:
        waves, samples = batch(clip(0.3), clip(seconds, 1))
        with torch.no_grad():
            crossing = Below(network.backbone, cut)(waves, samples)
            expected = network.backbone(waves, samples)
            with cut.above(network.backbone) as above:
                torch.testing.assert_close(above(crossing, waves, samples), expected)
