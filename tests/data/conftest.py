"""Real data for the readers: pictures, sentences and tables from installed packages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def demo_data() -> ModuleType:
    """examples/demo_data.py."""
    spec = importlib.util.spec_from_file_location("demo_data", ROOT / "examples" / "demo_data.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def twemoji(demo_data, tmp_path_factory) -> Path:
    """A folder of emoji pictures, one sub-folder a subcategory."""
    return demo_data.emoji_folder(tmp_path_factory.mktemp("twemoji"))


@pytest.fixture(scope="session")
def amazon(demo_data, tmp_path_factory) -> Path:
    """A .csv of text, label, review and split: 200 sentences to train, 1,000 to test."""
    return demo_data.sentiment_csv(tmp_path_factory.mktemp("amazon") / "amazon.csv")


@pytest.fixture(scope="session")
def penguins() -> Path:
    return _package("palmerpenguins") / "data" / "penguins.csv"


@pytest.fixture(scope="session")
def auto_mpg() -> Path:
    return _package("bokeh_sampledata") / "_data" / "auto-mpg.csv"


def _package(name: str) -> Path:
    return Path(importlib.util.find_spec(name).origin).parent
