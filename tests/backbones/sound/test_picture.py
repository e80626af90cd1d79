"""Sounds as pictures for networks of pictures."""

import numpy as np
import pytest
import torch
from sounds import batch, clip, features

from headstart.backbones.load import load, rebuild
from headstart.backbones.sound.front_end import FrontEnd
from headstart.backbones.sound.picture import SoundPicture
from headstart.errors import BackboneError
from headstart.tasks import AUDIO

NAME = "spectrogram+timm:test_vit?weights=random"


def naive_picture(module, wave):
    """Each column the mean over its part of the clip, edges counted by their share; frames one by one."""
    wave = np.pad(wave, (0, max(0, 16000 - len(wave))))
    levels = FrontEnd(module.front_end.spectrum)(*batch(wave))[0].double().numpy()
    shares = 1 + (levels - levels.max()) / 80
    height, width = module.size
    columns = np.zeros((width, shares.shape[1]))
    for j in range(width):
        begin, end = j * len(shares) / width, (j + 1) * len(shares) / width
        for frame in range(len(shares)):
            columns[j] += max(0.0, min(end, frame + 1) - max(begin, frame)) * shares[frame]
        columns[j] /= end - begin
    picture = torch.from_numpy(columns.T[::-1].copy())[None, None]
    picture = torch.nn.functional.interpolate(picture, (height, width), mode="bilinear", align_corners=False)[0, 0]
    return np.stack([(picture.numpy() - m) / s for m, s in zip(module.mean, module.std, strict=True)])


@pytest.mark.parametrize("seconds", [0.4, 1.7])  # shorter than the least, and longer
def test_a_picture_is_the_spectrogram_over_the_whole_width(seconds):
    module = SoundPicture(torch.nn.Flatten(), (40, 50), (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)).eval()
    found = module.pictures(*batch(clip(seconds), clip(2.3, 1)))[0].numpy()
    np.testing.assert_allclose(found, naive_picture(module, clip(seconds)), atol=1e-3)


def test_high_tones_stand_above():
    at = np.arange(16000) / 16000
    module = SoundPicture(torch.nn.Flatten(), (64, 64), (0.0,) * 3, (1.0,) * 3).eval()
    low, high = (np.sin(2 * np.pi * hertz * at).astype(np.float32) for hertz in (300, 5000))
    rows = module.pictures(*batch(low, high))[:, 0].mean(2).argmax(1)
    assert rows[0] > 40 > 20 > rows[1]


def test_the_backbone():
    backbone = load(NAME)
    plain = load("timm:test_vit?weights=random")
    assert (backbone.name, backbone.modality, backbone.dim) == (NAME, AUDIO, plain.dim)
    assert [name for name, _ in backbone.stages] == [f"network.{name}" for name, _ in plain.stages]
    with torch.inference_mode():
        expected = plain.module(backbone.module.pictures(*batch(clip(0.7)))).numpy()
    np.testing.assert_allclose(features(backbone.module, clip(0.7), clip(1.4, 1))[:1], expected, rtol=1e-4, atol=1e-4)
    again = rebuild(backbone.spec, backbone.module.state_dict(), backbone.preprocess, backbone.name)
    assert again.fingerprint == backbone.fingerprint
    other = load("spectrogram+timm:test_vit?weights=random&seed=4")
    assert other.fingerprint == backbone.random(4).fingerprint != backbone.fingerprint


@pytest.mark.parametrize("layer", ["@1", "@2@max", "@2@cls"])
def test_a_layer_of_it_is_the_layer_of_the_network_of_pictures(layer):
    module = load(f"spectrogram+timm:test_vit{layer}?weights=random").module
    plain = load(f"timm:test_vit{layer}?weights=random").module
    with torch.inference_mode():
        pictures = module.network.pictures(*batch(clip(0.7)))
        torch.testing.assert_close(module(*batch(clip(0.7))), plain(pictures), rtol=1e-4, atol=1e-4)


def test_weights_of_a_picture_backbone_are_kept():
    backbone, plain = load("spectrogram+bundled:efficientnet-lite0"), load("bundled:efficientnet-lite0")
    assert backbone.licence == plain.licence
    for name, value in plain.module.state_dict().items():
        assert torch.equal(backbone.module.state_dict()[f"network.{name}"], value)


def test_of_anything_but_pictures():
    with pytest.raises(BackboneError, match="bundled:wordllama takes no pictures; expected spectrogram"):
        load("spectrogram+bundled:wordllama")
    with pytest.raises(BackboneError, match=r"no hub 'tim'"):
        load("spectrogram+tim:resnet18")
