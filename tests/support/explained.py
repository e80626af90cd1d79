"""Small fitted models: pictures by a small convolutional network, texts by small token vectors, columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from headstart.artefact.model import Model
from headstart.heads.head import Head
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks import CLASSIFICATION
from headstart.transfer import Transfer


def head(width, classes=3, *, kind=CLASSIFICATION, seed=0, **arrays):
    """A linear head with drawn weights, in float64."""
    rng = np.random.default_rng(seed)
    own = {
        "mean": rng.normal(size=width),
        "scale": rng.uniform(0.5, 2.0, width),
        "weight.0": rng.normal(size=(width, classes)),
        "bias.0": rng.normal(size=classes),
    }
    return Head(name="linear", kind=kind, arrays=own | arrays, temperature=1.7)


def fitted(backbone, modality, own, *, classes=("a", "b", "c"), encoder=None, columns=None):
    """A Transfer that is this model."""
    model = Model(
        modality=modality,
        kind=own.kind,
        classes=classes,
        columns=columns,
        backbone=backbone,
        encoder=encoder,
        head=own,
        method="probe",
        options={"class_weight": None, "seed": 0, "goal": None, "method": {}},
        engine={},
    )
    return Transfer(kind=str(own.kind), cache=False, engine="torch").hold(model)


@pytest.fixture
def pictures(tiny):
    return fitted(tiny, "image", head(6))


@pytest.fixture
def picture():
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 255, (6, 6, 3)).repeat(8, axis=0).repeat(8, axis=1)
    return coarse.astype(np.uint8)


@pytest.fixture
def texts(words):
    return fitted(words, "text", head(5, 2), classes=("bad", "good"))


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"age": rng.normal(40, 9, 60), "height": rng.normal(size=60), "city": rng.choice(["Rome", "Oslo"], 60)}
    )


@pytest.fixture
def table(frame):
    encoder = TableEncoder.fit(frame)
    return fitted(None, "table", head(encoder.width), encoder=encoder.state())
