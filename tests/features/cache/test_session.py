import os
import time

import numpy as np
import pytest

from headstart.features.cache.cache import Cache
from headstart.features.cache.session import Session

ROW = 32 + 4000


def put(session, make, first, count, identity=None):
    store = session.store("features", identity or {"name": "x"}, width=1000, dtype="float32")
    store.put([make.key(number) for number in range(first, first + count)], np.ones((count, 1000), np.float32))
    return store


def age(cache, seconds):
    for path, status in cache.all_shards():
        os.utime(path, (status.st_atime - seconds, status.st_mtime - seconds))


def held(cache):
    return sum(holding.rows for holding in cache.describe())


def test_the_least_recently_used_goes_first(tmp_path, make):
    cache = Cache(tmp_path, limit_bytes=35 * ROW)
    for first in (0, 10, 20):
        session = Session(cache)
        put(session, make, first, 10)
        assert session.finish() == ()
        age(cache, 100)
    session = Session(cache)
    store = session.store("features", {"name": "x"}, width=1000, dtype="float32")
    assert store.fill(np.zeros((10, 1000), np.float32), range(10), [make.key(number) for number in range(10)]) == []
    session.finish()
    session = Session(cache)
    put(session, make, 30, 10)
    assert session.finish() == ()
    left = Session(cache).store("features", {"name": "x"}, width=1000, dtype="float32")
    assert make.key(0) in left, "used a moment ago"
    assert make.key(10) not in left, "the oldest"
    assert make.key(20) in left
    assert make.key(30) in left


def test_what_the_run_itself_uses_is_never_deleted(tmp_path, make):
    cache = Cache(tmp_path, limit_bytes=25 * ROW)
    session = Session(cache)
    for first in (0, 10, 20):
        put(session, make, first, 10)
    (note,) = session.finish()
    assert note == "cache: full at its limit of 0 MiB; not all of this run is kept"
    assert held(cache) == 20
    assert sum(status.st_size for _, status in cache.all_shards()) <= cache.limit_bytes


def test_a_limit_that_was_lowered_holds_after_the_next_write(tmp_path, make):
    session = Session(Cache(tmp_path))
    for first in range(0, 100, 10):
        put(session, make, first, 10)
    session.finish()
    cache = Cache(tmp_path, limit_bytes=30 * ROW)
    session = Session(cache)
    put(session, make, 200, 10)
    session.finish()
    assert 10 <= held(cache) <= 29


def test_leftovers_of_killed_runs_are_swept_up(tmp_path, make):
    cache = Cache(tmp_path)
    session = Session(cache)
    put(session, make, 0, 10)
    session.finish()
    (folder,) = (tmp_path / "features").iterdir()
    for name, seconds in ((".old.npy.1.tmp", 7200), (".new.npy.2.tmp", 0)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - seconds, time.time() - seconds))
    session = Session(cache)
    put(session, make, 10, 10)
    session.finish()
    assert [path.name for path in folder.glob(".*")] == [".new.npy.2.tmp"]


def test_namespaces_are_told_apart_by_identity_not_by_label(tmp_path, make):
    session = Session(Cache(tmp_path))
    first = session.store("features", {"a": 1}, width=3, dtype="float32", label="one")
    assert first.folder == session.store("features", {"a": 1}, width=3, dtype="float32", label="two").folder
    others = [
        session.store("features", {"a": 2}, width=3, dtype="float32").folder,
        session.store("features", {"a": 1}, width=4, dtype="float32").folder,
        session.store("thumbs", {"a": 1}, width=3, dtype="float32").folder,
        session.store("features", {"a": 1}, width=3, dtype="uint8").folder,
    ]
    assert len({first.folder, *others}) == 5


@pytest.mark.parametrize("where", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_done_without(tmp_path, make, where):
    (tmp_path / "file").write_text("")
    session = Session(Cache(tmp_path / where))
    store = put(session, make, 0, 3)
    assert make.key(0) not in store
    notes = session.finish()
    assert notes
    assert all(note.startswith(f"cache: {tmp_path / where} cannot be fully used (") for note in notes)
    assert notes[0].endswith("the run goes on without")


def test_damage_is_counted_in_words(tmp_path, make):
    session = Session(Cache(tmp_path))
    put(session, make, 0, 3)
    session.finish()
    for path, _ in Cache(tmp_path).all_shards():
        path.write_bytes(b"")
    session = Session(Cache(tmp_path))
    session.store("features", {"name": "x"}, width=1000, dtype="float32")
    assert session.finish() == ("cache: 1 damaged file removed, the rows computed again",)


def test_without_a_cache_nothing_is_kept_but_measurements(make):
    session = Session(None)
    assert make.key(0) not in put(session, make, 0, 3)
    session.memory.remember("test of the session", value={"x": 1})
    assert Session(None).memory.recall("test of the session") == {"x": 1}
    assert session.finish() == ()
