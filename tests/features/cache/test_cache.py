import sys
from pathlib import Path

import numpy as np
import pytest

from headstart.errors import CacheError
from headstart.features.cache.cache import Cache, default_folder
from headstart.features.cache.session import Session


def filled(cache, make, identity, count):
    session = Session(cache)
    store = session.store("features", identity, width=3, dtype="float32", label="tiny")
    store.put([make.key(number) for number in range(count)], np.zeros((count, 3), np.float32))
    assert session.finish() == ()


def test_the_default_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    assert default_folder() == tmp_path == Cache().folder
    monkeypatch.delenv("HEADSTART_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "l"))
    expected = {
        "linux": tmp_path / "x" / "headstart",
        "darwin": Path.home() / "Library" / "Caches" / "headstart",
        "win32": tmp_path / "l" / "headstart" / "Cache",
    }
    for platform, folder in expected.items():
        monkeypatch.setattr(sys, "platform", platform)
        assert default_folder() == folder


def test_it_describes_what_it_holds(cache, make):
    assert cache.describe() == []
    filled(cache, make, {"fingerprint": "a"}, 5)
    filled(cache, make, {"fingerprint": "b"}, 7)
    found = {holding.about["fingerprint"]: holding for holding in cache.describe()}
    assert {name: holding.rows for name, holding in found.items()} == {"a": 5, "b": 7}
    assert found["a"].label == "tiny"
    assert found["b"].bytes == 256 + 7 * (32 + 12)
    assert found["a"].last_used > 1e9
    assert repr(cache) == f"Cache({str(cache.folder)!r}, limit_bytes={20 * 2**30})"


def test_it_is_told_in_words(cache, make):
    assert str(cache) == f"{cache.folder}: 0.0 MB of at most 21475 MB"
    filled(cache, make, {"engine": "torch", "precision": "float32"}, 5)
    last = str(cache).splitlines()[-1]
    assert "features" in last
    assert "5 rows, 0.0 MB" in last
    assert last.endswith("tiny torch float32")


def test_it_clears_one_namespace_or_everything(cache, make):
    filled(cache, make, {"fingerprint": "a"}, 5)
    filled(cache, make, {"fingerprint": "b"}, 7)
    name = next(holding.namespace for holding in cache.describe() if holding.about["fingerprint"] == "a")
    assert cache.clear(name) > 5 * 44
    assert [holding.about["fingerprint"] for holding in cache.describe()] == ["b"]
    assert cache.clear() > 7 * 44
    assert cache.describe() == []
    assert cache.clear() == 0


def test_only_its_own_files_are_deleted(cache, make):
    filled(cache, make, {}, 5)
    (cache.folder / "mine.txt").write_text("keep")
    cache.clear()
    assert [path.name for path in cache.folder.iterdir()] == ["mine.txt"]


def test_a_namespace_that_is_not_there(cache):
    with pytest.raises(CacheError, match="holds no namespace 'x'; `headstart cache` lists"):
        cache.clear("x")


def test_a_limit_below_zero(tmp_path):
    with pytest.raises(ValueError, match="limit_bytes = -1: expected 0 or more"):
        Cache(tmp_path, limit_bytes=-1)


def test_a_damaged_description_is_survived(cache, make):
    filled(cache, make, {}, 5)
    for about in cache.folder.glob("*/*/about.json"):
        about.write_text("[")
    assert [(holding.rows, holding.about) for holding in cache.describe()] == [(0, {})]
