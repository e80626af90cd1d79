"""Fitted models to save: small ones made by hand, each with everything an artefact can hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.artefact import Model, write
from headstart.artefact.files import seal
from headstart.artefact.strict_json import dump
from headstart.heads.facts import FitterFacts
from headstart.heads.head import Head
from headstart.tasks import CLASSIFICATION
from headstart.tasks.task import Columns

EVIDENCE = {
    "n_train": 252,
    "n_test": 253,
    "seed": 0,
    "metrics": {
        "accuracy": {"value": 0.76, "low": 0.7, "high": 0.81},
        "macro_f1": {"value": 0.74, "low": 0.69, "high": 0.8},
    },
    "baselines": {"majority": {"accuracy": {"value": 0.1, "low": 0.05, "high": 0.2}}},
    "gain": {"metric": "accuracy", "over": "no-transfer", "value": 0.25, "low": 0.18, "high": 0.32},
    "verdict": "helps",
}


def make_head(features: int, outputs: int, *, hidden: int = 0, seed: int = 0) -> Head:
    draw = np.random.default_rng(seed)
    widths = [features, *([hidden] if hidden else []), outputs]
    arrays = {"mean": draw.normal(size=features), "scale": draw.uniform(0.5, 2, size=features)}
    for layer, (width, out) in enumerate(pairwise(widths)):
        arrays[f"weight.{layer}"] = draw.normal(size=(width, out))
        arrays[f"bias.{layer}"] = draw.normal(size=out)
    single = {name: array.astype(np.float32) for name, array in arrays.items()}
    return Head(
        name="ridge",
        kind=CLASSIFICATION,
        arrays=single,
        temperature=1.7,
        form="root",
        facts=FitterFacts(account={"strength": 0.1}),
    )


def make_table_model(seed: int = 0) -> Model:
    """A model for tables: no backbone, an encoder, a hidden layer, classes of every type, evidence."""
    arrays = {
        "median": np.array([0.5, np.nan]),
        "counts": np.arange(3, dtype=np.int64),
        "known": np.array([True, False]),
        "one": np.float32(3.0) * np.ones(()),
        "none": np.zeros((0, 2), dtype=np.float32),
    }
    return Model(
        modality="table",
        kind=CLASSIFICATION,
        classes=("a", 1, 2.5, True),
        columns=Columns(input=("x", "y"), target="what"),
        backbone=None,
        encoder=({"categories": [["red", "blüe"]]}, arrays),
        head=make_head(5, 4, hidden=3, seed=seed),
        method="probe",
        options={"seed": seed, "class_weight": None},
        engine={"name": "none", "precision": "float64"},
        evidence=EVIDENCE,
        notes=("3 inputs were set aside",),
    )


def make_array_model(seed: int = 0) -> Model:
    """The smallest model: numbers in, one of three classes out."""
    table = make_table_model(seed)
    head = make_head(4, 3, seed=seed)
    return replace(
        table, modality="array", classes=("a", "b", "c"), columns=None, encoder=None, head=head, evidence=None, notes=()
    )


@pytest.fixture(scope="session")
def head() -> Callable[..., Head]:
    """features, outputs -> a head drawn at random."""
    return make_head


@pytest.fixture(scope="session")
def table_model() -> Model:
    return make_table_model()


@pytest.fixture(scope="session")
def array_model() -> Model:
    return make_array_model()


@pytest.fixture
def saved(tmp_path: Path, table_model: Model) -> Path:
    """The table model, saved."""
    return write(table_model, tmp_path / "saved")


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory, table_model: Model) -> Path:
    """The table model, saved once: who damages it puts it right again."""
    return write(table_model, tmp_path_factory.mktemp("pristine") / "saved")


@pytest.fixture(scope="session")
def forge() -> Callable[[Path, dict[str, Any]], None]:
    """Put another config into a saved model, with a checksum that fits: what no damage does, but a forger can."""

    def put(folder: Path, config: dict[str, Any]) -> None:
        (folder / "config.json").write_bytes(dump(seal(config)))

    return put
