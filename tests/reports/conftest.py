"""Small models of hostile data, fitted once, and saved where each test may change its copy."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hostile import QUOTES, hostile_table

import headstart
from headstart.cli.report import command_origin
from headstart.data.roles import Roles
from headstart.study.origin import with_origin


class Saved(NamedTuple):
    """A model in a folder, and the table that it was fitted to."""

    model: Path
    data: Path


TRACKED = "mlflow:https://me:s3cret@host"


def saved(frame: pd.DataFrame, folder: Path, kind: str | None = None) -> Saved:
    path = folder / "data.csv"
    frame.to_csv(path, index=False)
    roles = Roles(**{name: name for name in ("group", "domain") if name in frame}, target="label")
    fitted = headstart.fit(path, method="ridge", roles=roles, kind=kind, cache=False)
    command = ["headstart", "fit", str(path), "--track", TRACKED, "--out", f"a {QUOTES}"]
    sys.argv, before = command, sys.argv
    try:
        fitted = with_origin(fitted, command_origin(str(path), roles=roles, kind=kind))
    finally:
        sys.argv = before
    fitted.save(folder / "model")
    return Saved(folder / "model", path)


@pytest.fixture(scope="session")
def first(tmp_path_factory) -> Saved:
    """The model of the hostile table; tests that change a file take `hostile`."""
    frame = hostile_table()
    together = frame["group"].map(lambda name: name[3])
    frame["split"] = np.where(together.isin(["0", "1", "2"]), "test", "train")
    return saved(frame, tmp_path_factory.mktemp("hostile"))


@pytest.fixture
def hostile(first, tmp_path) -> Saved:
    """A copy of the model; its data stay where they were."""
    shutil.copytree(first.model, tmp_path / "model")
    return Saved(tmp_path / "model", first.data)
