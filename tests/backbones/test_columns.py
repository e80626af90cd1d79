"""A backbone for tables: made for columns, asked for rows, and told from others by its folder."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small import RESNET

from headstart.backbones.columns import embedded, fresh
from headstart.backbones.load import load, rebuild
from headstart.errors import BackboneError

FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), columns=list("abc"))


def test_it_is_made_for_the_columns_and_built_again_from_its_spec():
    backbone = fresh(FRAME, 3, width=8, depth=2)
    features = embedded(FRAME, backbone)
    assert features.shape == (30, 8)
    assert features.dtype == np.float32
    assert backbone.dim == 8
    again = rebuild(backbone.spec, backbone.module.state_dict(), backbone.preprocess, backbone.name)
    assert again.fingerprint == backbone.fingerprint
    np.testing.assert_array_equal(embedded(FRAME, again), features)
    assert fresh(FRAME, 3, width=8, depth=2).fingerprint == backbone.fingerprint
    assert backbone.random(4).fingerprint != backbone.fingerprint


def test_others_do_not_read_tables():
    with pytest.raises(BackboneError, match="does not read tables: leave --backbone out"):
        embedded(FRAME, load(RESNET))
