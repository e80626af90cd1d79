"""Small networks to train from nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headstart.backbones.assemble import assemble, build
from headstart.backbones.load import load, rebuild
from headstart.backbones.small import of_rows
from headstart.errors import BackboneError
from headstart.preprocessing.numbers import NumberPreprocess


def test_conv4_has_four_stages_and_64_features_at_28_pixels():
    backbone = load("small:conv4")
    assert backbone.dim == 64
    assert len(backbone.stages) == 4
    assert backbone.name == "small:conv4?weights=random&seed=0"
    assert load("small:conv4-64").dim == 64 * 16
    assert load("small:conv4?weights=random&seed=3").fingerprint == backbone.random(3).fingerprint
    assert backbone.random(3).fingerprint != backbone.fingerprint


def test_a_row_is_answered_alike_whatever_is_beside_it():
    module = load("small:conv4").module.train()
    pixels = torch.randn(3, 3, 28, 28)
    with torch.no_grad():
        assert torch.allclose(module(pixels)[:1], module(pixels[:1]), atol=1e-5)


@pytest.mark.parametrize("name", ["conv5", "conv4-8", "conv4-x"])
def test_other_names_are_refused(name):
    with pytest.raises(BackboneError, match=rf"small:{name}: expected small:conv4 or small:conv4-64"):
        load(f"small:{name}")


def test_an_unknown_network_cannot_be_built():
    with pytest.raises(BackboneError, match=r"network 'conv9': expected conv4 or rows"):
        build({"hub": "small", "network": "conv9", "sizes": [8]})


def test_a_network_of_rows_comes_back_from_its_spec():
    rows = np.random.default_rng(0).normal(size=(9, 3))
    backbone = assemble(of_rows(NumberPreprocess.of(rows)))
    assert (backbone.dim, str(backbone.modality)) == (40, "array")
    again = rebuild(backbone.spec, backbone.module.state_dict(), backbone.preprocess, backbone.name)
    assert again.fingerprint == backbone.fingerprint
