import os
import sqlite3
import subprocess
import sys

import pytest

from headstart.features.cache import files as module
from headstart.features.cache.files import SeenFiles, Sight, stamp


@pytest.fixture
def files(tmp_path):
    paths = []
    for number in range(5):
        path = tmp_path / f"file {number} é"
        path.write_text(str(number))
        paths.append(str(path))
    return paths


def sights(files, make, why=""):
    return [Sight(path, stamp(os.stat(path)), make.key(path), why) for path in files]


def no_trouble(error):
    raise AssertionError(str(error))


def test_what_was_seen_is_found_by_another_process(tmp_path, files, make):
    SeenFiles(tmp_path / "db", no_trouble).add(sights(files, make))
    found = SeenFiles(tmp_path / "db", no_trouble).find(["nowhere", *files, "bad\0name"])
    assert sorted(found) == [1, 2, 3, 4, 5]
    assert [found[row].key for row in sorted(found)] == [make.key(path) for path in files]


def test_a_relative_path_is_the_same_file(tmp_path, files, make, monkeypatch):
    seen = SeenFiles(tmp_path / "db", no_trouble)
    seen.add(sights(files, make))
    monkeypatch.chdir(tmp_path)
    assert list(seen.find([os.path.basename(files[0])])) == [0]


def change_size(path):
    with open(path, "a") as file:
        file.write("more")


def change_time(path):
    os.utime(path, ns=(0, 10**18))


def replace(path):
    status = os.stat(path)
    os.replace(path, path + "x")
    with open(path, "w") as file:
        file.write("z" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", [change_size, change_time, replace, os.remove])
def test_a_changed_file_is_not_the_same(tmp_path, files, make, change):
    seen = SeenFiles(tmp_path / "db", no_trouble)
    seen.add(sights(files, make))
    change(files[2])
    assert sorted(seen.find(files)) == [0, 1, 3, 4]


def test_failures_are_remembered_as_long_as_the_libraries_are_the_same(tmp_path, files, make, monkeypatch):
    seen = SeenFiles(tmp_path / "db", no_trouble)
    seen.add(sights(files[:2], make, why="damaged"))
    seen.add(sights(files[2:], make))
    assert [sight.why for sight in seen.find(files).values()] == ["damaged", "damaged", "", "", ""]
    monkeypatch.setattr(module, "_decoders", lambda: b"newer")
    assert sorted(seen.find(files)) == [2, 3, 4]


def test_many_files_at_once(tmp_path, files, make):
    seen = SeenFiles(tmp_path / "db", no_trouble)
    many = [files[0]] * 1200 + files
    seen.add(sights(many, make))
    assert len(seen.find(many)) == 1205


def test_a_file_changed_just_now_has_no_stamp(files):
    status = os.stat(files[0])
    latest = max(status.st_mtime, status.st_ctime)
    assert stamp(status, settled_at=latest + 0.01) == b""
    assert stamp(status, settled_at=latest + 0.1) == stamp(status)
    os.utime(files[0], (latest, int(latest)))  # as file systems that count whole seconds do
    status = os.stat(files[0])
    assert stamp(status, settled_at=status.st_ctime + 0.5) == b""


@pytest.mark.parametrize("content", [b"hello, this is no database" * 100, b"SQLite format 3\0" + b"\1" * 5000])
def test_a_damaged_table_is_begun_anew(tmp_path, files, make, content):
    path = tmp_path / "db"
    path.write_bytes(content)
    told = []
    seen = SeenFiles(path, told.append)
    assert seen.find(files) == {}
    assert len(told) == 1
    seen.add(sights(files, make))
    assert len(seen.find(files)) == 5
    assert len(told) == 1


def test_a_place_that_cannot_be_written_is_told(tmp_path, files, make):
    (tmp_path / "file").write_text("")
    told = []
    seen = SeenFiles(tmp_path / "file" / "db", told.append)
    seen.add(sights(files, make))
    assert [type(error) for error in told] == [sqlite3.OperationalError]
    assert seen.find(files) == {}


def test_nowhere(files, make):
    seen = SeenFiles(None, no_trouble)
    seen.add(sights(files, make))
    assert seen.find(files) == {}


def test_two_processes_write_at_once(tmp_path, files, make):
    code = (
        "import sys\nfrom pathlib import Path\nfrom headstart.features.cache.files import SeenFiles, Sight\n"
        "def told(error): raise error\n"
        "seen = SeenFiles(Path(sys.argv[1]), told)\n"
        "for n in range(150): seen.add([Sight(f'{sys.argv[2]}{n}', b'x' * 40, b'k' * 32)])\n"
    )
    path = tmp_path / "db"
    processes = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in "ab"]
    assert [process.wait() for process in processes] == [0, 0]
    with sqlite3.connect(path) as table:
        assert table.execute("SELECT count(*) FROM files").fetchone() == (300,)
    table.close()
