"""The recipes of the tutorials run on real data, and are as short as they say."""

from importlib import import_module
from pathlib import Path

import pytest

from headstart.transfer import Transfer

EXAMPLES = Path(__file__).parents[1] / "examples"
SLOW = ("recipe_vgg16_flatten", "recipe_vgg16_gap", "recipe_resnetv2")


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("recipe_*.py")))
def test_a_recipe_is_short(name):
    assert len((EXAMPLES / f"{name}.py").read_text("utf-8").splitlines()) < 25


def test_csv(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    import_module("recipe_csv").main(tmp_path)
    page = str(Transfer.load(tmp_path / "model").evidence_)
    assert "source-only" in page
    assert "target-only" in page


@pytest.mark.slow
def test_cifar(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    import_module("recipe_cifar").main("", tmp_path)
    assert len(Transfer.load(tmp_path / "model").classes_) == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_networks_of_keras(name, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    import_module(name).main("random", tmp_path)
    assert len(Transfer.load(tmp_path / "model").classes_) == 8
