"""WaveNet and the encoders of Tacotron: against sums written out, and in the layouts of their public checkpoints."""

import numpy as np
import pytest
import torch
from public_layouts import public_tacotron2, public_wavenet
from sounds import batch, clip, features
from torch import nn

from headstart.backbones.load import load
from headstart.backbones.sound.front_end import FrontEnd
from headstart.backbones.sound.wavenet import mu_law
from headstart.errors import BackboneError, MissingWeights

NAMES = ("wavenet:3x2-8", "cbhg:8", "tacotron2:8")


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_alone_and_beside_a_longer_one(name):
    module = load(name).module
    short, long = clip(0.3), clip(0.45, 1)
    alone = features(module, short)[0]
    np.testing.assert_allclose(features(module, short, long)[0], alone, atol=1e-5 * abs(alone).max())


@pytest.mark.parametrize("name", NAMES)
def test_each_layer_too(name):
    backbone = load(name)
    for place in range(len(backbone.stages)):
        module = load(f"{name}@{place}").module
        alone = features(module, clip(0.3))[0]
        together = features(module, clip(0.3), clip(0.45, 1))[0]
        np.testing.assert_allclose(together, alone, atol=1e-5 * abs(alone).max())


@pytest.mark.parametrize("name", NAMES)
def test_named_by_its_seed(name):
    backbone = load(name)
    assert backbone.name == f"{name}?weights=random&seed=0"
    assert load(f"{name}?weights=random&seed=3").fingerprint == backbone.random(3).fingerprint != backbone.fingerprint


@pytest.mark.parametrize("name", ["wavenet:3-8", "wavenet:0x2-8", "cbhg:x", "tacotron2:0"])
def test_a_name_that_is_none(name):
    with pytest.raises(BackboneError, match="expected"):
        load(name)


def test_tacotron2_of_an_odd_width():
    with pytest.raises(BackboneError, match="width 7: expected an even number"):
        load("tacotron2:7")


def test_mu_law():
    waves = torch.tensor([-1.0, -0.01, 0.0, 0.01, 0.5, 1.0, 3.0])
    x = waves.clamp(-1, 1).double().numpy()
    expected = ((np.sign(x) * np.log(1 + 255 * abs(x)) / np.log(256) + 1) / 2 * 255).astype(int)
    np.testing.assert_array_equal(mu_law(waves, 256).numpy(), expected)
    assert expected[0] == 0
    assert expected[2] == 127
    assert expected[-1] == 255


def wavenet_by_hand(weights, wave, layers, each, kernel):
    """Sample by sample, as the recursion of the paper reads."""
    classes = mu_law(torch.from_numpy(wave), 256)
    first = weights["first_conv.weight"][:, :, 0]
    x = [first[:, c] + weights["first_conv.bias"] for c in classes]
    skips = [torch.zeros(6) for _ in x]
    for place in range(layers):
        w = {k.split(".", 2)[2]: v for k, v in weights.items() if k.startswith(f"conv_layers.{place}.")}
        new = []
        for t in range(len(x)):
            h = w["conv.bias"].clone()
            for tap in range(kernel):
                at = t - (kernel - 1 - tap) * 2 ** (place % each)
                if at >= 0:
                    h = h + w["conv.weight"][:, :, tap] @ x[at]
            a, b = h.chunk(2)
            z = torch.tanh(a) * torch.sigmoid(b)
            skips[t] = skips[t] + w["conv1x1_skip.weight"][:, :, 0] @ z + w["conv1x1_skip.bias"]
            new.append((w["conv1x1_out.weight"][:, :, 0] @ z + w["conv1x1_out.bias"] + x[t]) * 0.5**0.5)
        x = new
    return (torch.stack(skips).mean(0) / layers**0.5).numpy()


@pytest.mark.parametrize("weight_norm", [True, False])
@pytest.mark.parametrize("kernel", [2, 3])
def test_wavenet_of_a_public_checkpoint(weight_norm, kernel, tmp_path):
    plain, stored = public_wavenet(4, 5, kernel, weight_norm)
    torch.save({"state_dict": stored, "optimizer": None, "global_step": 7}, tmp_path / "checkpoint.pth")
    backbone = load(f"wavenet:2x2-5?weights={tmp_path / 'checkpoint.pth'}")
    wave = clip(0.01)
    expected = wavenet_by_hand(plain, wave, layers=4, each=2, kernel=kernel)
    np.testing.assert_allclose(features(backbone.module, wave)[0], expected, rtol=1e-4, atol=1e-4)
    assert backbone.dim == 6


def test_a_wavenet_of_another_number_of_stacks(tmp_path):
    _, stored = public_wavenet(4, 5, 2, weight_norm=False)
    torch.save(stored, tmp_path / "w.pth")
    with pytest.raises(BackboneError, match="as many layers in each stack"):
        load(f"wavenet:2x3-5?weights={tmp_path / 'w.pth'}")


def test_tacotron2_of_a_public_checkpoint(tmp_path):
    public, stored = public_tacotron2(12)
    torch.save({"state_dict": stored, "iteration": 5}, tmp_path / "tacotron2.pt")
    module = load(f"tacotron2:12?weights={tmp_path / 'tacotron2.pt'}").module
    wave = clip(0.3)
    with torch.inference_mode():
        levels = FrontEnd(module.SPECTRUM)(*batch(wave))
        expected = public(module.inputs(levels).transpose(1, 2))[0].mean(0).numpy()
    np.testing.assert_allclose(features(module, wave)[0], expected, rtol=1e-4, atol=1e-5)


def test_cbhg_is_the_paper_written_out():
    module = load("cbhg:6").module
    torch.manual_seed(2)
    for name, value in module.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.5 if "running_var" in name else torch.randn_like(value) * 0.3)
    wave = clip(0.3)
    state = module.state_dict()
    with torch.inference_mode():
        x = FrontEnd(module.SPECTRUM)(*batch(wave))[0]
        for place in (0, 1):
            x = torch.relu(x @ state[f"prenet.{place}.weight"].T + state[f"prenet.{place}.bias"])
        bank = [torch.relu(conv_norm(x, state, f"bank.{k - 1}", k)) for k in range(1, 17)]
        y = torch.cat(bank, 1)
        y = torch.stack([y[t] if t == 0 else torch.maximum(y[t], y[t - 1]) for t in range(len(y))])
        y = torch.relu(conv_norm(y, state, "projections.0", 3))
        y = conv_norm(y, state, "projections.1", 3) + x
        for place in range(4):
            h, t = (
                y @ state[f"highways.{place}.{part}.weight"].T + state[f"highways.{place}.{part}.bias"]
                for part in ("transform", "gate")
            )
            t = torch.sigmoid(t)
            y = t * torch.relu(h) + (1 - t) * y
        gru = nn.GRU(6, 6, batch_first=True, bidirectional=True)
        gru.load_state_dict({k.removeprefix("recurrent.layer."): v for k, v in state.items() if "recurrent" in k})
        expected = gru(y[None])[0][0].mean(0).numpy()
    np.testing.assert_allclose(features(module, wave)[0], expected, rtol=1e-4, atol=1e-5)


def conv_norm(x, state, name, kernel):
    """(L, C): a sum over taps, the middle one on the place itself (of an even number the one before the middle)."""
    weight, before = state[f"{name}.conv.weight"], (kernel - 1) // 2
    padded = torch.cat([torch.zeros(before, x.shape[1]), x, torch.zeros(kernel, x.shape[1])])
    y = sum(padded[tap : tap + len(x)] @ weight[:, :, tap].T for tap in range(kernel)) + state[f"{name}.conv.bias"]
    y = (y - state[f"{name}.norm.running_mean"]) / torch.sqrt(state[f"{name}.norm.running_var"] + 1e-5)
    return y * state[f"{name}.norm.weight"] + state[f"{name}.norm.bias"]


def test_files_that_cannot_be_used(tmp_path):
    with pytest.raises(MissingWeights, match=r"gone\.pth: no such file"):
        load(f"wavenet:2x2-5?weights={tmp_path / 'gone.pth'}")
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(BackboneError, match="not the weights of tacotron2"):
        load(f"tacotron2:12?weights={tmp_path / 'other.pth'}")
    with pytest.raises(BackboneError, match="no layout of files is known for cbhg"):
        load(f"cbhg:12?weights={tmp_path / 'other.pth'}")
