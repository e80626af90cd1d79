import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.features.cache.shard import KEY, Damaged, read_keys, read_shard, write_file, write_shard

F4 = np.dtype("float32")


def some(count, width, seed=0):
    draw = np.random.default_rng(seed)
    return draw.integers(0, 256, (count, KEY), dtype=np.uint8), draw.normal(size=(count, width)).astype(F4)


@pytest.mark.parametrize(("count", "width"), [(1, 1), (3, 7), (200, 1280), (2, 0)])
def test_what_is_written_is_read(tmp_path, count, width):
    keys, values = some(count, width)
    path = write_shard(tmp_path, keys, values)
    assert read_keys(path, width, F4) == [bytes(key) for key in keys]
    assert np.array_equal(read_shard(path), values)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_it_is_a_plain_npy_file(tmp_path):
    keys, values = some(3, 4)
    with open(write_shard(tmp_path, keys, values), "rb") as file:
        assert np.array_equal(np.load(file), keys)
        assert np.array_equal(np.load(file), values)


@given(st.data())
def test_any_change_is_noticed(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("shard")
    path = write_shard(folder, *some(3, 4))
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(Damaged):
        read_shard(path)


def test_a_cut_shard_is_noticed_by_its_keys_alone(tmp_path):
    path = write_shard(tmp_path, *some(3, 4))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Damaged):
        read_keys(path, 4, F4)


@pytest.mark.parametrize(("width", "dtype"), [(5, F4), (4, np.dtype("float64"))])
def test_a_shard_of_another_width_or_type_is_noticed(tmp_path, width, dtype):
    path = write_shard(tmp_path, *some(3, 4))
    with pytest.raises(Damaged):
        read_keys(path, width, dtype)


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "a"
    write_file(path, b"one")
    write_file(path, b"two")
    assert path.read_bytes() == b"two"
    with pytest.raises(IsADirectoryError):
        write_file(tmp_path, b"three")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_file(tmp_path / "folder", b"three")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "folder"]
