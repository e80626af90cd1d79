"""A backbone cut after a layer is tuned like any other: what its stages name moves, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from headstart import Transfer
from headstart.backbones.load import load
from headstart.network import Network
from headstart.training.cut import Below, find_cut

NAME = "timm:test_vit@3?weights=random"


@pytest.fixture(scope="module")
def coloured():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 90, (40, 32, 32, 3)).astype(np.uint8)
    labels = np.arange(40) % 2
    pixels[np.arange(40), :, :, labels] += 120
    return [Image.fromarray(each) for each in pixels], labels


@pytest.mark.parametrize(("method", "stages"), [("top", 1), ("fine-tune", 4)])
def test_the_stages_of_the_cut_network_move(coloured, method, stages):
    pictures, labels = coloured
    before = load(NAME)
    model = Transfer(NAME, method, options={"epochs": "2"}, seed=0).fit(pictures, labels)
    after = dict(model.backbone_.module.named_parameters())
    changed = {name for name, value in before.module.named_parameters() if not torch.equal(value, after[name])}
    moved = [stage for stage, prefixes in before.stages if any(name.startswith(prefixes) for name in changed)]
    assert len(before.stages) == 4
    assert moved == [stage for stage, _ in before.stages[-stages:]]
    assert model.predict(pictures).shape == (40,)


def test_what_stands_below_the_last_stage_is_computed_once():
    backbone = load(NAME)
    network = Network(backbone, torch.nn.Linear(backbone.dim, 2))
    network.open(network.top(1))
    inputs = (torch.randn(2, 3, 160, 160, generator=torch.Generator().manual_seed(0)),)
    cut = find_cut(network.backbone, inputs, backbone.preprocess)
    assert cut.place == "network.blocks.1"
    with torch.no_grad():
        features = network.backbone(*inputs)
        crossing = Below(network.backbone, cut)(*inputs)
        with cut.above(network.backbone) as above:
            torch.testing.assert_close(above(crossing, *inputs), features)
