"""The front end against a direct sum in numpy, and against the extractors that others published."""

import numpy as np
import pytest
import torch
from sounds import batch
from transformers import WhisperFeatureExtractor
from transformers.audio_utils import mel_filter_bank

from headstart.backbones.sound.front_end import FrontEnd, Spectrum
from headstart.backbones.sound.mel import mel_filters
from headstart.backbones.sound.spec_augment import SpecAugment

RNG = np.random.default_rng(0)
WAVE = (RNG.normal(0, 0.1, 1500) * np.hanning(1500)).astype(np.float32)


def naive_power(wave, spectrum):
    """Frame by frame and frequency by frequency, as the sum that it is."""
    half = spectrum.n_fft // 2
    edges = {
        "none": lambda: wave,
        "zeros": lambda: np.pad(wave, half),
        "reflect": lambda: np.pad(wave, half, mode="reflect"),
        "reflect-start": lambda: np.pad(np.pad(wave, (half, 0), mode="reflect"), (0, half)),
    }
    x = edges[spectrum.edge]().astype(np.float64)
    n = np.arange(spectrum.window)
    hann = np.sin(np.pi * n / (spectrum.window - (0 if spectrum.periodic else 1))) ** 2
    before = (spectrum.frame - spectrum.window) // 2
    rows = []
    for start in range(0, len(x) - max(spectrum.frame, spectrum.n_fft if spectrum.is_centred else 0) + 1, spectrum.hop):
        frame = x[start : start + spectrum.frame].copy()
        if spectrum.centre:
            frame -= frame.mean()
        if spectrum.preemphasis:
            frame = frame - spectrum.preemphasis * np.concatenate([frame[:1], frame[:-1]])
        part = frame[before : before + spectrum.window] * hann
        at = before + n
        rows.append([abs((part * np.exp(-2j * np.pi * k * at / spectrum.n_fft)).sum()) ** 2 for k in range(half + 1)])
    return np.array(rows)


@pytest.mark.parametrize("edge", ["none", "zeros", "reflect", "reflect-start"])
@pytest.mark.parametrize(
    "sizes",
    [
        {"n_fft": 64, "frame": 64, "window": 64},
        {"n_fft": 64, "frame": 64, "window": 50},
        {"n_fft": 64, "frame": 50, "window": 50, "periodic": False, "preemphasis": 0.97, "centre": True},
    ],
)
def test_power_is_the_direct_sum(edge, sizes):
    if edge != "none" and sizes["frame"] != sizes["n_fft"]:
        pytest.skip("frames that are shorter than the transform are only known without edges")
    spectrum = Spectrum(hop=20, mels=8, edge=edge, form="power", **sizes)
    found = FrontEnd(spectrum).power(torch.from_numpy(WAVE)[None])[0].numpy()
    expected = naive_power(WAVE, spectrum)
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected.max())
    assert len(expected) == spectrum.frames(torch.tensor([len(WAVE)]))[0]


@pytest.mark.parametrize(("form", "function"), [
    ("power", lambda x: x),
    ("ln", lambda x: np.log(np.maximum(x, 1e-4))),
    ("db", lambda x: np.maximum(y := 10 * np.log10(np.maximum(x, 1e-4)), y.max() - 30)),
    ("whisper", lambda x: (np.maximum(y := np.log10(np.maximum(x, 1e-10)), y.max() - 8) + 4) / 4),
])  # fmt: skip
def test_forms_of_levels(form, function):
    spectrum = Spectrum(n_fft=64, frame=64, window=64, hop=20, mels=8, form=form, floor=1e-4, span=30.0)
    found = FrontEnd(spectrum)(*batch(WAVE))[0].numpy()
    bands = naive_power(WAVE, spectrum) @ mel_filters(64, 16000, 8, low=0, high=8000, scale="slaney", by_area=True)
    np.testing.assert_allclose(found, function(bands), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scale", ["htk", "slaney", "kaldi"])
@pytest.mark.parametrize("by_area", [False, True])
@pytest.mark.parametrize("low", [0.0, 60.0])
def test_filters_are_those_of_transformers(scale, by_area, low):
    if scale == "kaldi" and by_area:
        pytest.skip("Kaldi has no such norm")
    found = mel_filters(512, 16000, 32, low=low, high=7600, scale=scale, by_area=by_area)
    expected = mel_filter_bank(
        257, 32, low, 7600, 16000, "slaney" if by_area else None, scale, triangularize_in_mel_space=scale == "kaldi"
    )
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected.max())


def test_filters_between_impossible_ends():
    with pytest.raises(ValueError, match=r"from 900 to 800 Hz: expected 0 <= low < high"):
        mel_filters(512, 16000, 32, low=900, high=800, scale="htk")
    with pytest.raises(ValueError, match="scale 'bark': expected one of htk"):
        mel_filters(512, 16000, 32, low=0, high=800, scale="bark")


def test_a_spectrum_that_cannot_be():
    with pytest.raises(ValueError, match="form 'log'"):
        Spectrum(form="log")
    with pytest.raises(ValueError, match="window 500, frame 400"):
        Spectrum(window=500)


def test_whisper_is_that_of_transformers():
    clips = [RNG.normal(0, 0.1, size).astype(np.float32) for size in (16000, 30001)]
    expected = WhisperFeatureExtractor()(clips, sampling_rate=16000, return_tensors="pt").input_features
    waves, samples = batch(*clips)
    waves = torch.nn.functional.pad(waves, (0, 480000 - waves.shape[1]))
    front_end = FrontEnd(Spectrum(form="whisper", edge="reflect", drop_last=True))
    found = front_end(waves, torch.full_like(samples, 480000)).transpose(1, 2)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("edge", ["none", "zeros", "reflect-start"])
@pytest.mark.parametrize("form", ["ln", "db", "whisper"])
def test_silence_behind_a_clip_changes_nothing(edge, form):
    front_end = FrontEnd(Spectrum(n_fft=64, frame=64, window=64, hop=20, mels=8, edge=edge, form=form, span=40.0))
    loud = 5 * RNG.normal(0, 0.3, 3100).astype(np.float32)
    alone = front_end(*batch(WAVE))
    together = front_end(*batch(WAVE, loud))
    torch.testing.assert_close(together[:1, : alone.shape[1]], alone, rtol=1e-5, atol=1e-5)
    assert (together[0, alone.shape[1] :] == 0).all()
    assert together.shape[1] > alone.shape[1]


def test_it_stays_exact_where_the_network_is_cast():
    spectrum = Spectrum(n_fft=64, frame=64, window=64, hop=20, mels=8)
    front_end = FrontEnd(spectrum)
    expected = front_end(*batch(WAVE))
    torch.testing.assert_close(front_end.to(torch.bfloat16)(*batch(WAVE)), expected, rtol=0, atol=0)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(front_end(*batch(WAVE)), expected, rtol=0, atol=0)
    assert not list(front_end.parameters())
    assert not front_end.state_dict()


def test_spec_augment_puts_out_bands_and_times_only_in_training():
    augment = SpecAugment(bands=1, band=3, times=1, time=20, share=0.5)
    front_end = FrontEnd(Spectrum(n_fft=64, frame=64, window=64, hop=20, mels=8), augment)
    plain = front_end.eval()(*batch(WAVE, WAVE[:900]))
    front_end.train()
    torch.manual_seed(3)
    state = torch.get_rng_state()
    varied = front_end(*batch(WAVE, WAVE[:900]))
    torch.set_rng_state(state)
    torch.testing.assert_close(front_end(*batch(WAVE, WAVE[:900])), varied, rtol=0, atol=0)
    changed = (varied != plain).numpy()
    assert changed.any()
    count = int(front_end.spectrum.frames(torch.tensor([900]))[0])
    assert not changed[1, count:].any()
    mean = plain[0].mean()
    assert torch.allclose(varied[0][torch.from_numpy(changed[0])], mean)
    for clip, frames in ((changed[0], changed.shape[1]), (changed[1][:count], count)):
        bands, times = clip.all(0), clip.all(1)
        assert bands.sum() <= 3
        assert times.sum() <= min(20, frames // 2)
        assert (clip == bands[None] | times[:, None]).all()


def test_spec_augment_reaches_every_band_and_its_widest():
    torch.manual_seed(0)
    levels, real = torch.randn(400, 30, 8), torch.ones(400, 30, dtype=torch.bool)
    changed = SpecAugment(bands=1, band=3, times=0)(levels, real) != levels
    widths = changed.all(1).sum(1)
    assert set(widths.tolist()) == {0, 1, 2, 3}
    assert changed.all(1).any(0).all()
