"""Where the cache lies when there is no home, no entry for the user, or no folder that may be written to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

SHOW = (
    "import os, sys\n"
    "from headstart.features.cache.cache import Cache\n"
    "if os.geteuid() == 0: os.setgroups([]); os.setgid(12345); os.setuid(12345)\n"
    "print(Cache().folder); print(Cache().folder.is_dir(), Cache().describe())\n"
)
HOMES = ("HOME", "HEADSTART_CACHE", "XDG_CACHE_HOME")


def run(words=SHOW, **env):
    given = {name: value for name, value in os.environ.items() if name not in HOMES} | env
    done = subprocess.run([sys.executable, "-c", words], env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


@pytest.fixture
def home():
    """A folder that every user may enter, which those of pytest are not."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        home = Path(name, "home")
        home.mkdir()
        yield home
        for folder in (home, home / "cache"):
            if folder.exists():
                folder.chmod(0o755)


def test_no_home_and_no_entry_for_the_user():
    words = (
        "import os, pwd\n"
        "def none(*_): raise KeyError('getpwuid(): uid not found')\n"
        "from headstart.features.cache.cache import Cache\n"
        "os.environ.pop('HOME', None); pwd.getpwuid = none\n"
        "print(Cache().folder); print(Cache().folder.is_dir(), Cache().describe())\n"
    )
    out, errors = run(words)
    assert out[1] == "True []"
    assert errors.count("it is ") == 1
    assert "until this process ends. Set HEADSTART_CACHE to a folder to keep it" in errors
    assert not os.path.exists(out[0])


@pytest.mark.parametrize("kind", ["read-only", "a file", "not there"])
def test_a_home_that_cannot_hold_it(home, kind):
    path = home
    if kind == "read-only":
        home.chmod(0o555)
    elif kind == "a file":
        (home / ".cache").write_text("", encoding="utf-8")
    else:
        path = home / "nonexistent"
        home.chmod(0o555)
    out, errors = run(HOME=str(path))
    assert (out[1], "cannot be used; it is" in errors) == ("True []", True)
    assert not out[0].startswith(str(home))


def test_a_cache_that_can_only_be_read_stays(home):
    (home / "cache").mkdir()
    (home / "cache").chmod(0o555)
    out, errors = run(HEADSTART_CACHE=str(home / "cache"))
    assert (out, errors) == ([str(home / "cache"), "True []"], "")


def test_nowhere_to_put_it(home):
    words = "import tempfile; tempfile._candidate_tempdir_list = lambda: []\n" + SHOW
    home.chmod(0o555)
    out, errors = run(words, HOME=str(home))
    assert (out[1], "nothing is kept" in errors) == ("False []", True)
