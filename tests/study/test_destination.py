"""Where a file of answers may go, what is refused before any work, and that it is written whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from headstart.study.destination import Destination, check_file


class Rows:
    def rows(self):
        return [{"name": "x"}]

    def columns(self):
        return {"name": ["x" * 100_000]}

    def to_json(self):
        return {"predictions": self.rows()}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no/dir/p.csv", "there is no folder .*no/dir: create it first"),
        ("folder", "is a folder: name a file to write"),
        ("p", "the suffix '' names no format: expected .csv, .tsv, .jsonl, .json or .parquet"),
        ("p.csv.gz", "the suffix '.gz' names no format"),
        ("model/p.csv", "lies in the folder of a saved model"),
        ("data.csv", "is read as data and would be written over"),
        ("link.csv", "is read as data and would be written over"),
        ("pipe.csv", "is not a regular file"),
        ("data.csv/p.csv", "there is no folder"),
    ],
)
def test_refused_before_any_work(tmp_path, name, why):
    (tmp_path / "folder").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{\n "format": "headstart-model"', encoding="utf-8")
    (tmp_path / "data.csv").write_text("text\nx\n", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to("data.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ValueError, match=why):
        Destination(tmp_path / name, inputs=[str(tmp_path / "data.csv")])
    assert sorted(os.listdir(tmp_path)) == before


def test_asking_leaves_nothing_behind(tmp_path):
    assert check_file(tmp_path / "p.svg") == tmp_path / "p.svg"
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_there_is_replaced_with_its_rights_and_through_a_link(tmp_path):
    (tmp_path / "p.csv").write_text("old", encoding="utf-8")
    (tmp_path / "p.csv").chmod(0o640)
    (tmp_path / "link.csv").symlink_to("p.csv")
    Destination(tmp_path / "link.csv").write(Rows())
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "p.csv").read_text("utf-8").startswith("name\nxxx")
    assert (tmp_path / "p.csv").stat().st_mode & 0o777 == 0o640


def test_a_full_disk_leaves_what_was_there(tmp_path):
    """A limit on the size of files stands for the disk."""
    (tmp_path / "p.csv").write_text("old", encoding="utf-8")
    words = (
        "import resource, signal, sys\n"
        "from headstart.study.destination import Destination\n"
        "class Rows:\n"
        "    def columns(self): return {'name': ['x' * 100_000]}\n"
        "file = Destination(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: file.write(Rows())\n"
        "except OSError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", words, tmp_path / "p.csv"], capture_output=True, text=True)
    assert "cannot be written (File too large); nothing was changed" in done.stdout, done.stderr
    assert (tmp_path / "p.csv").read_text("utf-8") == "old"
    assert os.listdir(tmp_path) == ["p.csv"]


def test_parquet_needs_its_library_before_any_work(tmp_path):
    words = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from headstart.study.destination import Destination\nDestination(sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", words, tmp_path / "p.parquet"], capture_output=True, text=True)
    assert "writing Parquet needs pyarrow: pip install 'headstart[parquet]'" in done.stderr


@pytest.fixture
def public():
    """A folder that every user may enter: those of pytest are for the user alone who runs it."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def test_read_only_places(public):
    (public / "p.csv").write_text("old", encoding="utf-8")
    (public / "p.csv").chmod(0o444)
    (public / "closed").mkdir()
    (public / "closed").chmod(0o555)
    words = (
        "import os, sys\n"
        "from headstart.study.destination import Destination\n"
        "os.geteuid() or os.setuid(12345)\n"
        "try: Destination(sys.argv[1])\n"
        "except ValueError as error: print(error)\n"
    )
    for name, why in (("p.csv", "is read-only"), ("closed/p.csv", "cannot be written (Permission denied)")):
        done = subprocess.run([sys.executable, "-c", words, public / name], capture_output=True, text=True)
        assert why in done.stdout, done.stderr
