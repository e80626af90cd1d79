"""Models of all modalities, saved once for all tests of the service."""

from __future__ import annotations

from pathlib import Path

import pytest
from serving import models


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return models(tmp_path_factory.mktemp("served"))
