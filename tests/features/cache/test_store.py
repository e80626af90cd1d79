from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from headstart.features.cache.store import Store


def opened(folder, width=3, room=lambda size: True, trouble=None):
    def raised(error):
        raise AssertionError(str(error))

    return Store(folder, width, "float32", room=room, trouble=trouble or raised)


@pytest.fixture
def keys(make):
    return [make.key(number) for number in range(10)]


VALUES = np.arange(30, dtype=np.float32).reshape(10, 3)


def test_rows_come_back_under_their_keys(tmp_path, keys):
    store = opened(tmp_path)
    store.put(keys[:4], VALUES[:4])
    store.put(keys[4:], VALUES[4:])
    for other in (store, opened(tmp_path)):
        out = np.full((12, 3), -1, np.float32)
        assert other.fill(out, [11, 0, 5], [keys[9], keys[0], keys[4]]) == []
        assert np.array_equal(out[[11, 0, 5]], VALUES[[9, 0, 4]])
        assert (out[[1, 2, 3, 4, 6, 7, 8, 9, 10]] == -1).all()
        assert len(other) == 10
        assert keys[3] in other


def test_what_is_not_there_is_named(tmp_path, keys, make):
    store = opened(tmp_path)
    store.put(keys, VALUES)
    out = np.zeros((3, 3), np.float32)
    assert store.fill(out, [2, 1, 0], [keys[1], make.key("other"), keys[2]]) == [1]


def test_rows_of_any_shape(tmp_path, keys):
    store = opened(tmp_path, width=12)
    pictures = np.arange(24, dtype=np.float32).reshape(2, 2, 3, 2)
    store.put(keys[:2], pictures)
    out = np.zeros((2, 2, 3, 2), np.float32)
    assert store.fill(out, [0, 1], keys[:2]) == []
    assert np.array_equal(out, pictures)


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied", "foreign"])
def test_a_damaged_shard_is_removed_counted_and_computed_again(tmp_path, keys, damage):
    store = opened(tmp_path)
    store.put(keys[:5], VALUES[:5])
    (path,) = tmp_path.iterdir()
    store.put(keys[5:], VALUES[5:])
    content = path.read_bytes()
    path.write_bytes({"cut": content[:-7], "changed": content[:-1] + b"!", "emptied": b"", "foreign": b"hello"}[damage])
    for other in (opened(tmp_path), store):
        out = np.zeros((10, 3), np.float32)
        assert other.fill(out, range(10), keys) == [0, 1, 2, 3, 4]
        assert np.array_equal(out[5:], VALUES[5:])
        assert keys[0] not in other
        assert not path.exists()
    assert opened(tmp_path).damaged == 0


def test_the_damaged_are_counted(tmp_path, keys):
    opened(tmp_path).put(keys, VALUES)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    assert opened(tmp_path).damaged == 1


def test_a_shard_that_another_process_removes_is_missing(tmp_path, keys):
    store = opened(tmp_path)
    store.put(keys, VALUES)
    for path in tmp_path.iterdir():
        path.unlink()
    assert store.fill(np.zeros((10, 3), np.float32), range(10), keys) == list(range(10))
    assert store.damaged == 0


def test_without_room_nothing_is_written(tmp_path, keys):
    asked = []
    store = opened(tmp_path, room=lambda size: asked.append(size))
    store.put(keys, VALUES)
    assert asked == [10 * (32 + 12)]
    assert not list(tmp_path.iterdir())
    assert keys[0] not in store


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path, keys):
    (tmp_path / "file").write_text("")
    told = []
    store = opened(tmp_path / "file" / "folder", trouble=told.append)
    store.put(keys, VALUES)
    store.put(keys, VALUES)
    assert len(told) == 1
    assert keys[0] not in store


def test_without_a_folder_nothing_is_kept(keys):
    store = opened(None)
    store.put(keys, VALUES)
    assert store.fill(np.zeros((10, 3), np.float32), range(10), keys) == list(range(10))


def test_threads(tmp_path, make):
    store = opened(tmp_path, width=1)

    def write(number):
        keys = [make.key(10 * number + row) for row in range(10)]
        store.put(keys, np.arange(10 * number, 10 * number + 10, dtype=np.float32)[:, None])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(20)))
    out = np.zeros((200, 1), np.float32)
    assert opened(tmp_path, width=1).fill(out, range(200), [make.key(number) for number in range(200)]) == []
    assert np.array_equal(out[:, 0], np.arange(200))


def test_many_small_shards_become_one(tmp_path, make):
    store = opened(tmp_path)
    keys = [make.key(number) for number in range(260)]
    values = np.arange(780, dtype=np.float32).reshape(260, 3)
    for number in range(100):
        store.put(keys[number : number + 1], values[number : number + 1])
    store.put(keys[100:], values[100:])
    late = opened(tmp_path)
    store.merge()
    assert len(list(tmp_path.iterdir())) == 2
    for other in (store, opened(tmp_path)):
        out = np.zeros((260, 3), np.float32)
        assert other.fill(out, range(260), keys) == []
        assert np.array_equal(out, values)
    assert late.fill(np.zeros((260, 3), np.float32), range(260), keys) == list(range(100))
    before = list(tmp_path.iterdir())
    store.merge()
    assert list(tmp_path.iterdir()) == before


def test_small_shards_stay_where_there_is_no_room_to_merge_them(tmp_path, make):
    store = opened(tmp_path)
    for number in range(70):
        store.put([make.key(number)], VALUES[:1])
    full = opened(tmp_path, room=lambda size: False)
    full.merge()
    assert len(list(tmp_path.iterdir())) == 70
    assert len(opened(tmp_path)) == 70
