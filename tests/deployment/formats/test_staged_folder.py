"""An exported folder is there whole or not at all, and replaces nothing but an earlier export."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from disks import mounted
from safetensors.numpy import save_file

from headstart.deployment.formats.staged_folder import ENDING, MARK, new_folder


def write(place, text="one", *, overwrite=False):
    with new_folder(place, "timm", overwrite=overwrite) as stage:
        (stage / "inner").mkdir()
        (stage / "inner" / "a.txt").write_text(text)


def test_the_folder_lists_its_files(tmp_path):
    write(tmp_path / "out")
    assert json.loads((tmp_path / "out" / MARK).read_text()) == {
        "format": "timm",
        "files": [os.path.join("inner", "a.txt")],
    }
    assert os.listdir(tmp_path) == ["out"]


def test_nothing_is_left_where_it_fails(tmp_path):
    with pytest.raises(FileNotFoundError), new_folder(tmp_path / "out", "timm", overwrite=False) as stage:
        (stage / "a.txt").rename(stage / "no such folder" / "a.txt")
    assert os.listdir(tmp_path) == []


def test_an_export_is_replaced_where_that_is_asked_for_alone(tmp_path):
    write(tmp_path / "out")
    with pytest.raises(ValueError, match=r"is there already.*--overwrite"):
        write(tmp_path / "out", "two")
    write(tmp_path / "out", "two", overwrite=True)
    assert (tmp_path / "out" / "inner" / "a.txt").read_text() == "two"
    assert os.listdir(tmp_path) == ["out"]


def test_an_export_that_fails_leaves_the_earlier_one(tmp_path):
    write(tmp_path / "out")
    with pytest.raises(FileNotFoundError), new_folder(tmp_path / "out", "timm", overwrite=True) as stage:
        (stage / "a.txt").rename(stage / "b.txt")
    assert (tmp_path / "out" / "inner" / "a.txt").read_text() == "one"


def test_what_headstart_did_not_write_is_never_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("all of it")
    with pytest.raises(ValueError, match="not what headstart exported"):
        write(tmp_path / "mine", overwrite=True)
    write(tmp_path / "out")
    (tmp_path / "out" / "thesis.tex").write_text("all of it")
    with pytest.raises(ValueError, match=r"also holds 'thesis.tex'"):
        write(tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "thesis.tex").read_text() == "all of it"


def test_files_links_and_folders_of_models_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is a file"):
        write(tmp_path / "file")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="is a link"):
        write(tmp_path / "link")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"format": "headstart-model"}')
    with pytest.raises(ValueError, match="in the folder of a saved model"):
        write(tmp_path / "model" / "out")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    (tmp_path / "shut").mkdir(mode=0o500)
    with pytest.raises(ValueError, match=r"cannot be written \(Permission denied\)"):
        write(tmp_path / "shut" / "out")


def test_a_disk_that_is_read_only_is_named(tmp_path):
    with (
        mounted(tmp_path / "disk", "ro") as disk,
        pytest.raises(ValueError, match=r"cannot be written \(Read-only file system\)"),
    ):
        write(disk / "out")


def fill(stage, how):
    """Fill a disk of 64 kB with what writes in its own way."""
    if how == "a library that says so":
        save_file({"weight": np.zeros(50_000)}, stage / "model.safetensors")
    (stage / "a.bin").write_bytes(bytes(64_000))
    try:
        (stage / "b.bin").write_bytes(bytes(64_000))
    except OSError as error:
        if how == "a library that does not":
            raise RuntimeError("basic_ios::clear: iostream error") from error
        raise


@pytest.mark.parametrize("how", ["Python", "a library that says so", "a library that does not"])
def test_a_full_disk_is_said_to_be_full_and_holds_what_it_held(tmp_path, how):
    with mounted(tmp_path / "disk", "size=64k") as disk:
        write(disk / "out")
        with (
            pytest.raises(OSError, match=r"no room for it on the disk.*nothing was changed") as error,
            new_folder(disk / "out", "timm", overwrite=True) as stage,
        ):
            fill(stage, how)
        assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(disk / "out"))
        assert (disk / "out" / "inner" / "a.txt").read_text() == "one"
        assert os.listdir(disk) == ["out"]


def test_folders_that_were_made_for_it_go_where_it_fails(tmp_path):
    (tmp_path / "there").mkdir()
    with (
        pytest.raises(RuntimeError, match="of the library"),
        new_folder(tmp_path / "there" / "x" / "y" / "out", "timm", overwrite=False),
    ):
        raise RuntimeError("an error of the library")
    assert os.listdir(tmp_path) == ["there"]
    assert os.listdir(tmp_path / "there") == []


KILLED = """
import os, signal, sys
from pathlib import Path
from headstart.deployment.formats.staged_folder import new_folder
with new_folder(Path(sys.argv[1]), "timm", overwrite=True) as stage:
    (stage / "weights").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="there is no such signal")
def test_an_export_that_is_killed_leaves_the_earlier_one_and_is_swept_a_day_later(tmp_path):
    write(tmp_path / "out")
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "out"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "out" / "inner" / "a.txt").read_text() == "one"
    [left] = [name for name in os.listdir(tmp_path) if name.endswith(ENDING)]
    write(tmp_path / "out", "two", overwrite=True)
    assert left in os.listdir(tmp_path)  # it might be written to still
    earlier = time.time() - 100_000
    os.utime(tmp_path / left, (earlier, earlier))
    write(tmp_path / "out", "three", overwrite=True)
    assert os.listdir(tmp_path) == ["out"]
