"""A small model of a table, fitted once, whose rows are told apart by two columns of numbers."""

from __future__ import annotations

import pandas as pd
import pytest
from drifting import clouds

import headstart as hs


@pytest.fixture(scope="session")
def cloud_model(tmp_path_factory) -> hs.Transfer:
    """Read from its folder, as what is served is."""
    X, y = clouds(300, 0)
    folder = hs.Transfer(method="ridge", cache=False).fit(X, y).save(tmp_path_factory.mktemp("clouds") / "model")
    return hs.Transfer.load(folder)


@pytest.fixture(scope="session")
def cloud_folder(cloud_model, tmp_path_factory):
    return cloud_model.save(tmp_path_factory.mktemp("clouds-again") / "model")


@pytest.fixture
def shifted() -> pd.DataFrame:
    """Rows that are all a little larger."""
    return clouds(200, 5, shift=1.0)[0]
