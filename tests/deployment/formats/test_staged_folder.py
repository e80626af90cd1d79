"""An exported folder is there whole or not at all, and replaces nothing but an earlier export."""

import json
import os
import sys

import pytest

from headstart.deployment.formats.staged_folder import MARK, new_folder


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
