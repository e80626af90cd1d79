import pytest

from headstart.features.cache.memory import Memory


def test_what_is_remembered_is_recalled_by_another_process(tmp_path):
    Memory(tmp_path / "m").remember("a", "b", value={"x": 1.5})
    assert Memory(tmp_path / "m").recall("a", "b") == {"x": 1.5}
    assert Memory(tmp_path / "m").recall("ab") is None
    assert Memory(tmp_path / "other").recall("a", "b") is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"subject": ["a"], "value": 3}', '{"subject": ["b"], "value": {}}']
)
def test_a_damaged_file_is_nothing_remembered(tmp_path, content):
    memory = Memory(tmp_path)
    memory.remember("a", value={"x": 1})
    (path,) = tmp_path.iterdir()
    path.write_text(content)
    assert Memory(tmp_path).recall("a") is None
    assert memory.recall("a") == {"x": 1}


def test_where_nothing_can_be_written_it_lasts_as_long_as_the_object(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (None, tmp_path / "file" / "m"):
        memory = Memory(folder)
        memory.remember("a", value={"x": 1})
        assert memory.recall("a") == {"x": 1}
