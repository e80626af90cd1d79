import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from headstart.data.listing import list_folder
from headstart.errors import DataError


def put(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_files_come_sorted_by_the_parts_of_their_paths(tmp_path):
    put(tmp_path, "b/2.png", "a b/1.png", "a/z.png", "b/10.png", "é/ü ö.png", "top.txt", "a/deep/er/1.png")
    listing = list_folder(str(tmp_path))
    assert listing.files == ["a/deep/er/1.png", "a/z.png", "a b/1.png", "b/10.png", "b/2.png", "top.txt", "é/ü ö.png"]
    assert listing.folders == ["a", "a/deep", "a/deep/er", "a b", "b", "é"]
    assert listing.notes == []


def test_hidden_entries_and_litter_are_skipped_and_counted(tmp_path):
    put(tmp_path, "a/1.png", "a/.2.png", ".git/x.png", "a/Thumbs.db", "__MACOSX/a/1.png", "a/desktop.ini")
    listing = list_folder(str(tmp_path))
    assert listing.files == ["a/1.png"]
    assert listing.notes == ["skipped 5 hidden files or folders"]


def test_loops_of_links_end_and_are_named(tmp_path):
    put(tmp_path, "a/1.png", "b/2.png")
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "b" / "above").symlink_to(tmp_path.parent, target_is_directory=True)
    (tmp_path / "b" / "root").symlink_to("/", target_is_directory=True)
    listing = list_folder(str(tmp_path))
    assert listing.files == ["a/1.png", "b/2.png"]
    assert listing.loops == ["a/self", "a/up", "b/above", "b/root"]
    assert "not followed: a/self, a/up, b/above, b/root" in listing.notes[0]


def test_folders_outside_are_followed_once(tmp_path):
    root, pool = tmp_path / "root", tmp_path / "pool"
    put(pool, "1.png", "sub/2.png")
    (pool / "back").symlink_to(pool, target_is_directory=True)
    root.mkdir()
    (root / "a").symlink_to(pool, target_is_directory=True)
    (root / "b").symlink_to(pool, target_is_directory=True)
    listing = list_folder(str(root))
    assert listing.files == ["a/1.png", "a/sub/2.png"]
    assert listing.loops == ["a/back", "b"]


def test_a_linked_root_and_linked_files_are_read(tmp_path):
    put(tmp_path / "real", "a/1.png")
    (tmp_path / "real" / "a" / "2.png").symlink_to(tmp_path / "real" / "a" / "1.png")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    assert list_folder(str(tmp_path / "link")).files == ["a/1.png", "a/2.png"]


def test_what_is_no_file_is_set_aside(tmp_path):
    put(tmp_path, "a/1.png")
    (tmp_path / "a" / "gone.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a" / "circle.png").symlink_to(tmp_path / "a" / "circle.png")
    os.mkfifo(tmp_path / "a" / "pipe.png")
    listing = list_folder(str(tmp_path))
    assert listing.files == ["a/1.png"]
    assert [tuple(lost[:2]) for lost in listing.set_aside] == [
        ("a/circle.png", "a link that leads to no file"),
        ("a/gone.png", "a link that leads to no file"),
        ("a/pipe.png", "not a regular file"),
    ]


def test_names_that_are_not_utf8_are_kept_and_can_be_printed(tmp_path):
    (tmp_path / "a").mkdir()
    with open(os.fsencode(tmp_path) + b"/a/\xe9.png", "wb"):
        pass
    (tmp_path / "a" / "b\udce9.png").symlink_to(tmp_path / "nowhere")
    listing = list_folder(str(tmp_path))
    assert os.path.exists(tmp_path / listing.files[0])
    assert listing.set_aside[0].name == "a/b\\xe9.png"


def test_an_unreadable_root_is_an_error(tmp_path):
    put(tmp_path, "file")
    with pytest.raises(DataError, match="the folder cannot be read: Not a directory"):
        list_folder(str(tmp_path / "file"))


@pytest.fixture
def plain_user():
    """A folder, and the rights of somebody who is not root: for root nothing is unreadable."""
    root = os.geteuid() == 0
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)  # noqa: S103  it is empty, and gone in a moment
        if root:
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            if root:
                os.seteuid(0)


def test_an_unreadable_folder_is_set_aside(plain_user):
    put(plain_user, "a/1.png", "b/2.png")
    (plain_user / "b").chmod(0)
    listing = list_folder(str(plain_user))
    (plain_user / "b").chmod(0o700)
    assert listing.files == ["a/1.png"]
    assert listing.set_aside[0].why.startswith("the folder cannot be read")


def test_a_path_longer_than_the_system_allows_is_set_aside(tmp_path):
    here, made = os.getcwd(), 0
    try:
        os.chdir(tmp_path)
        for _ in range(25):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
            made += 1
    finally:
        os.chdir(here)
    listing = list_folder(str(tmp_path))
    assert 0 < len(listing.folders) < made
    assert [lost.why for lost in listing.set_aside] == ["the folder cannot be read: File name too long"]
