import errno
import os
import time

import pytest

from headstart.artefact import check_target, read, write
from headstart.artefact.place import (
    A_DAY,
    PARTIAL,
    discard,
    disk_errors,
    put_in_place,
    sibling,
    swap_in_two_moves,
    sweep,
    write_file,
)
from headstart.errors import ArtefactError


@pytest.fixture
def other(tmp_path, array_model):
    """A second model, saved beside the first."""
    return write(array_model, tmp_path / "other")


def test_free_is_a_new_path_and_an_empty_folder(tmp_path):
    assert check_target(tmp_path / "new" / "deep") == tmp_path / "new" / "deep"
    assert check_target(tmp_path) == tmp_path


def test_a_relative_path_becomes_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert check_target("m") == tmp_path / "m"
    assert check_target("a/../m/") == tmp_path / "m"


def test_a_model_is_replaced_only_when_asked(saved):
    assert check_target(saved, overwrite=True) == saved
    with pytest.raises(ArtefactError, match=r"there is a model at .*saved already: give another folder, or ask"):
        check_target(saved)


def test_what_is_no_model_is_never_replaced(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(b"x")
    with pytest.raises(ArtefactError, match=r"photos holds 'one.jpg' and is not a headstart model"):
        check_target(tmp_path / "photos", overwrite=True)
    (tmp_path / "photos" / "config.json").write_text('{"architectures": []}')
    with pytest.raises(ArtefactError, match="is not a headstart model: give a folder of another name"):
        check_target(tmp_path / "photos", overwrite=True)
    with pytest.raises(ArtefactError, match=r"one.jpg is a file: give a folder that does not exist yet"):
        check_target(tmp_path / "photos" / "one.jpg", overwrite=True)


def test_a_model_beside_foreign_files_is_never_replaced(saved):
    (saved / "my notes.txt").write_text("months of work")
    with pytest.raises(ArtefactError, match=r"also holds 'my notes.txt', which headstart did not write: move it"):
        check_target(saved, overwrite=True)


def test_a_link_is_never_replaced(saved):
    (saved.parent / "link").symlink_to(saved)
    with pytest.raises(ArtefactError, match=r"link is a link: give the folder that it points to, .*saved"):
        check_target(saved.parent / "link", overwrite=True)


def test_the_two_folders_change_places(saved, other):
    put_in_place(other, saved)
    assert (read(saved).modality, read(other).modality) == ("array", "table")


def test_a_folder_is_moved_to_a_free_place(saved, other, tmp_path):
    (tmp_path / "empty").mkdir()
    put_in_place(other, tmp_path / "empty")
    put_in_place(saved, tmp_path / "new")
    assert read(tmp_path / "empty").modality == "array"
    assert sorted(os.listdir(tmp_path)) == ["empty", "new"]


def test_two_moves_do_the_same(saved, other, tmp_path):
    swap_in_two_moves(other, saved)
    assert (read(saved).modality, read(other).modality) == ("array", "table")
    assert sorted(os.listdir(tmp_path)) == ["other", "saved"]


def test_two_moves_that_fail_put_the_old_version_back(saved, tmp_path):
    with pytest.raises(FileNotFoundError):
        swap_in_two_moves(tmp_path / "nothing", saved)
    assert read(saved).modality == "table"
    assert os.listdir(tmp_path) == ["saved"]


def test_two_moves_cut_off_between_are_explained(saved, tmp_path):
    saved.rename(sibling(saved, ".headstart-earlier"))
    with pytest.raises(ArtefactError, match=r"a save to .*saved was cut off.*: rename .*earlier to .*saved"):
        read(saved)


def test_discard_removes_ours_and_nothing_else(saved, tmp_path):
    discard(tmp_path / "nothing")
    (saved / "mine.txt").write_text("x")
    with pytest.warns(UserWarning, match=r"could not be removed .*remove it by hand"):
        discard(saved)
    assert os.listdir(saved) == ["mine.txt"]


def test_only_old_leftovers_are_swept(saved, tmp_path):
    old, young, foreign = sibling(saved), sibling(saved), tmp_path / f".x.{PARTIAL}"
    for folder in (old, young):
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"x")
    foreign.symlink_to(saved)
    yesterday = time.time() - A_DAY - 1
    os.utime(old, (yesterday, yesterday))
    sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([young.name, foreign.name, "saved"])
    assert read(saved).modality == "table"


def test_a_long_name_has_room_for_a_sibling(tmp_path, array_model):
    assert read(write(array_model, tmp_path / ("é" * 120))).modality == "array"


def test_a_file_is_never_written_over(saved):
    with pytest.raises(FileExistsError):
        write_file(saved / "config.json", b"x")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "there is no room for it in .*: free some, or save to another disk"),
        (errno.EROFS, "may not be written to: save to a folder that may"),
        (errno.EIO, "try again, or save to another folder"),
    ],
)
def test_what_the_disk_refuses_comes_with_advice(tmp_path, code, words):
    with pytest.raises(ArtefactError, match=words), disk_errors(tmp_path / "m"):
        raise OSError(code, os.strerror(code))
