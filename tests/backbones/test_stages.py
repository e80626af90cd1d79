import pytest
import timm
import torch
from torch import nn

from headstart.backbones.stages import stages_of


def assert_partition(module, stages):
    for name, _ in module.named_parameters():
        owners = [stage for stage, prefixes in stages if name.startswith(prefixes)]
        assert len(owners) == 1, (name, owners)
    assert all(any(n.startswith(prefixes) for n, _ in module.named_parameters()) for _, prefixes in stages)


def text_model(name):
    from transformers import AutoConfig, AutoModel

    small = {"bert": {"num_hidden_layers": 12}, "gpt2": {"n_layer": 12}}[name]
    return AutoModel.from_config(AutoConfig.for_model(name, **small))


@pytest.mark.parametrize(
    ("name", "first", "last", "count"),
    [
        ("resnet50", "conv1", "layer4", 5),
        ("vit_base_patch16_224", "cls_token", "blocks.11", 13),
        ("convnext_tiny", "stem", "stages.3", 5),
        ("efficientnet_b0", "conv_stem", "blocks.6", 8),
        ("tf_efficientnet_lite0", "conv_stem", "blocks.6", 8),
        ("vgg16", "features.0", "pre_logits", 14),
        ("resnetv2_50", "stem", "stages.3", 5),
        ("inception_v3", "Conv2d_1a_3x3", "Mixed_7c", 13),
        ("caformer_s18", "stem", "stages.3", 5),
        ("rdnet_tiny", "stem", "dense_stages.6", 8),
    ],
)
def test_the_stages_of_pictures_networks(name, first, last, count):
    with torch.device("meta"):
        module = timm.create_model(name, num_classes=0)
    stages = stages_of(module)
    assert_partition(module, stages)
    assert (stages[0][0], stages[-1][0], len(stages)) == (first, last, count), stages


@pytest.mark.parametrize(
    ("name", "layers", "first", "count"),
    [("bert", "encoder.layer", "embeddings", 14), ("gpt2", "h", "wte", 13)],
)
def test_the_stages_of_text_networks(name, layers, first, count):
    with torch.device("meta"):
        module = text_model(name)
    stages = stages_of(module)
    assert_partition(module, stages)
    assert stages[0][0] == first
    assert [stage for stage, _ in stages[1:13]] == [f"{layers}.{index}" for index in range(12)]
    assert len(stages) == count


def test_a_network_without_layers_is_one_stage():
    assert stages_of(nn.Linear(2, 2)) == (("all", ("",)),)
    assert stages_of(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))) == (("0", ("0.",)), ("2", ("2.",)))
    assert stages_of(nn.Flatten()) == ()
