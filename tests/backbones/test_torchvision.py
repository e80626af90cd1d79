"""torchvision's networks, against torchvision itself."""

import hashlib

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torchvision.models import ResNet18_Weights, get_model, get_model_weights

from headstart.backbones.load import load, rebuild
from headstart.errors import BackboneError, MissingWeights

SMALL = ["shufflenet_v2_x0_5", "mnasnet0_5", "squeezenet1_1", "mobilenet_v3_small", "regnet_y_400mf", "densenet121"]


def saved(folder, name, classes=7):
    torch.manual_seed(0)
    network = get_model(name, weights=None, num_classes=classes).eval()
    torch.save(network.state_dict(), folder / "weights.pth")
    return network


@pytest.mark.parametrize("name", SMALL)
def test_the_features_are_what_the_classifier_gets(tmp_path, name):
    network = saved(tmp_path, name)
    backbone = load(f"torchvision:{name}?size=64&weights={tmp_path / 'weights.pth'}")
    x = torch.randn(2, 3, 64, 64)
    taken = []
    last = [part for part in network.modules() if isinstance(part, torch.nn.Linear)]
    if last:
        last[-1].register_forward_hook(lambda module, inputs, output: taken.append(inputs[0]))
    else:  # SqueezeNet
        network.features.register_forward_hook(lambda module, inputs, output: taken.append(output.mean((2, 3))))
    with torch.inference_mode():
        network(x)
        torch.testing.assert_close(backbone.module(x), taken[0])
    assert backbone.dim == taken[0].shape[1]


def test_inception_scales_its_inputs_as_its_weights_want_it(tmp_path):
    network = get_model("inception_v3", weights=None, init_weights=False, transform_input=True).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    backbone = load(f"torchvision:inception_v3?size=96&weights={tmp_path / 'weights.pth'}")
    network.fc = torch.nn.Identity()
    x = torch.randn(1, 3, 96, 96)
    with torch.inference_mode():
        torch.testing.assert_close(backbone.module(x), network(x))
    assert backbone.stages[0][0] == "Conv2d_1a_3x3"


def test_stages_and_the_same_network_again(tmp_path):
    saved(tmp_path, "resnet18")
    backbone = load(f"torchvision:resnet18?size=64&weights={tmp_path / 'weights.pth'}")
    assert [name for name, _ in backbone.stages] == ["conv1", "layer1", "layer2", "layer3", "layer4"]
    names = [name for name, _ in backbone.module.named_parameters()]
    owners = [[stage for stage, prefixes in backbone.stages if name.startswith(prefixes)] for name in names]
    assert all(len(stages) == 1 for stages in owners)
    again = rebuild(backbone.spec, backbone.module.state_dict(), backbone.preprocess, backbone.name)
    assert again.fingerprint == backbone.fingerprint
    assert again.stages == backbone.stages


@pytest.mark.parametrize("name", ["resnet18.IMAGENET1K_V1", "shufflenet_v2_x1_5", "efficientnet_b0"])
def test_bytes_become_what_the_transforms_of_the_weights_make_of_them(name):
    architecture, _, tag = name.partition(".")
    entries = get_model_weights(architecture)
    transforms = (entries[tag] if tag else entries.DEFAULT).transforms()
    preprocess = load(f"torchvision:{name}?weights=random").preprocess
    assert preprocess.resize == transforms.resize_size[0]
    assert preprocess.size == tuple(transforms.crop_size * 2)
    pixels = np.random.default_rng(0).integers(0, 256, (300, 280, 3)).astype(np.uint8)
    prepared, _ = preprocess.prepare(torch.from_numpy(pixels).permute(2, 0, 1))
    (tensor,) = preprocess.tensors(torch.from_numpy(preprocess.collate([prepared])[0]))
    # Of noise, Pillow and torch round a few pixels to neighbouring whole numbers.
    levels = (tensor[0] - transforms(Image.fromarray(pixels))).abs() * 255 * torch.tensor(preprocess.std)[:, None, None]
    assert levels.max() < 1.01
    assert levels.mean() < 0.02


def test_torchvisions_own_file_is_checked_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(MissingWeights) as caught:
        load("torchvision:resnet18")
    message, file = str(caught.value), ResNet18_Weights.DEFAULT.url.rpartition("/")[2]
    assert f"{file} is not on this machine. Looked in {tmp_path / 'checkpoints'}" in message
    assert f"`curl -LO {ResNet18_Weights.DEFAULT.url}`" in message
    (tmp_path / "checkpoints").mkdir()
    saved(tmp_path, "resnet18", 1000)
    (tmp_path / "weights.pth").rename(tmp_path / "checkpoints" / file)
    with pytest.raises(BackboneError, match=r"its SHA-256 does not begin with .* half a file\?"):
        load("torchvision:resnet18")
    data = (tmp_path / "checkpoints" / file).read_bytes()
    entry = tmp_path / f"resnet18-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    entry.write_bytes(data)
    assert load(f"torchvision:resnet18?weights={entry}").dim == 512


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet19", r"torchvision has no such network; nearest: resnet1"),
        ("resnet18.IMAGENET", r"no weights tagged 'IMAGENET'; expected IMAGENET1K_V1"),
        ("resnet18?weights=none.pth", r"no file of weights none.pth"),
        ("inception_v3?weights=random&size=64", r"does not accept its own input of shape \(1, 3, 64, 64\)"),
    ],
)
def test_names_that_cannot_be(name, words):
    with pytest.raises(BackboneError, match=words):
        load(f"torchvision:{name}")


def test_weights_of_another_network(tmp_path):
    saved(tmp_path, "squeezenet1_1")
    with pytest.raises(BackboneError, match=r"do not fit the architecture: conv1.weight is missing"):
        load(f"torchvision:resnet18?weights={tmp_path / 'weights.pth'}")
    torch.save(torchvision.models.resnet18().conv1, tmp_path / "weights.pth")
    with pytest.raises(BackboneError, match="not a readable file of weights"):
        load(f"torchvision:resnet18?weights={tmp_path / 'weights.pth'}")
