"""Rows of the cache that pass by in blocks."""

import numpy as np
import pytest

from headstart.errors import CacheError
from headstart.features.cache.session import Session
from headstart.features.cache.stored_rows import StoredRows


@pytest.fixture
def kept(cache, make):
    """A store of 30 rows in three shards, their keys, and the rows."""
    store = Session(cache).store("features", {"of": "test"}, width=4, dtype="float32")
    values = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    keys = [make.key(number) for number in range(30)]
    for start in range(0, 30, 10):
        store.put(keys[start : start + 10], values[start : start + 10])
    return store, keys, values


def test_every_row_passes_by_once_with_its_number(kept):
    store, keys, values = kept
    order = np.random.default_rng(1).permutation(30)[:20]
    rows = StoredRows(store, [keys[row] for row in order])
    assert (len(rows), rows.width) == (20, 4)
    for _ in range(2):  # and again
        seen = np.full((20, 4), np.nan)
        for numbers, block in rows:
            assert np.isnan(seen[numbers]).all()
            seen[numbers] = block
        np.testing.assert_array_equal(seen, values[order])


def test_a_key_that_stands_twice_comes_twice(kept):
    store, keys, values = kept
    ((numbers, block),) = StoredRows(store, [keys[3], keys[3]])
    np.testing.assert_array_equal(block[np.argsort(numbers)], values[[3, 3]])


def test_rows_that_the_cache_lacks_are_counted(kept, make):
    store, keys, _ = kept
    with pytest.raises(CacheError, match="lacks the features of 2 of 4 rows"):
        StoredRows(store, [*keys[:2], make.key(100), make.key(101)])


def test_a_damaged_shard_is_named(kept):
    store, keys, _ = kept
    rows = StoredRows(store, keys)
    path = sorted(store.folder.glob("*.npy"))[0]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CacheError, match="is damaged, or was deleted meanwhile"):
        list(rows)
