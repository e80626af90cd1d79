"""clients.toml: what is read, and what is refused in words."""

from __future__ import annotations

import pytest

from headstart.distributed.clients import read_federation
from headstart.errors import DataError

TWO = '[[client]]\nname = "a"\ndata = "a.csv"\n[[client]]\nname = "b"\ndata = "sub/b.csv"\n'


def written(folder, text):
    file = folder / "clients.toml"
    file.write_text(text, "utf-8")
    return file


def test_paths_are_relative_to_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    head = 'target = "y"\nsecure = true\n[privacy]\nepsilon = 3\ndelta = 1e-5\nclip = 2\n'
    federation = read_federation(written(tmp_path, head + TWO))
    assert federation.place(federation.clients[1]) == tmp_path / "sub" / "b.csv"
    assert federation.privacy.epsilon == 3.0
    assert (federation.secure, federation.head, federation.backbone) == (True, "auto", None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "2 clients or more, got 0"),
        (TWO.split('[[client]]\nname = "b"')[0], "2 clients or more, got 1"),
        ('traget = "y"\n' + TWO, r"unknown key 'traget'. Did you mean 'target'\?"),
        ("[privcy]\nepsilon = 1\n" + TWO, r"unknown key 'privcy'. Did you mean 'privacy'\?"),
        (TWO + 'dta = "c"\n', r"\[\[client\]\] number 2: unknown key 'dta'. Did you mean 'data'\?"),
        (TWO.replace('data = "a.csv"\n', ""), r"\[\[client\]\] number 1: 'data' is missing"),
        (TWO.replace('"b"', '"a"'), "two clients bear the name 'a'"),
        (TWO.replace('"b"', '" "'), "must be printable and not empty"),
        ('secure = "yes"\n' + TWO, "secure = 'yes': expected true or false"),
        ("seed = 1.5\n" + TWO, "seed = 1.5: expected a whole number"),
        ("folds = true\n" + TWO, "folds = True: expected a whole number"),
        ("folds = 1\n" + TWO, "folds = 1: expected 2 to 20"),
        ("timeout = 0\n" + TWO, "expected seconds above 0"),
        ('head = "ride"\n' + TWO, r"expected one of auto, ridge, lda, prototypes. Did you mean 'ridge'\?"),
        ('client = "a"\n', r"write \[\[client\]\], then name and data"),
        ("privacy = 3\n" + TWO, r"\[privacy\] must be a table of keys"),
        ("[privacy]\nepsilon = 1\nclip = 1\n" + TWO, r"\[privacy\]: 'delta' is missing"),
        ("[privacy]\nepsilon = 0\ndelta = 1e-5\nclip = 1\n" + TWO, "epsilon = 0.0: expected a number above 0"),
        ("[privacy]\nepsilon = 1\ndelta = 2\nclip = 1\n" + TWO, "between 0 and 1"),
        ("= 3", "cannot be read as TOML"),
    ],
)
def test_what_nobody_understands_is_refused(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        read_federation(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"there is no such file; a federation is described by a clients\.toml"):
        read_federation(tmp_path / "clients.toml")
