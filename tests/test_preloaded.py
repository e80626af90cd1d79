"""A child of the process that imports once is a process as any other: see support/preloaded.py."""

from __future__ import annotations

import os

import pytest
from preloaded import Preloaded


def test_words_environment_folder_and_both_streams_are_its_own(preloaded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "import os, sys; print(sys.argv[1:], os.getcwd(), dict(os.environ))\n"
    code += "print(sys.stdin.read() or 'ü', file=sys.stderr); sys.exit(7)"
    done = preloaded.run(code, "a b", 3, env={"ONLY": "this"})
    assert (done.returncode, done.stderr) == (7, "ü\n")
    assert done.stdout == f"{['a b', '3']} {tmp_path} {{'ONLY': 'this'}}\n"
    assert "ONLY" not in os.environ


def test_nothing_of_one_child_is_in_the_next(preloaded):
    code = "import headstart; print(hasattr(headstart, 'left'), 'openvino' in __import__('sys').modules); "
    assert [preloaded.checked(code + "headstart.left = 1") for _ in range(2)] == ["False False\n"] * 2


def test_it_ends_as_it_does_by_itself(preloaded):
    assert preloaded.run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)").returncode == -9
    failed = preloaded.run("print('first'); 1 / 0")
    assert (failed.returncode, failed.stdout) == (1, "first\n")
    assert failed.stderr.endswith("ZeroDivisionError: division by zero\n")
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        preloaded.checked("1 / 0")
    late = "import atexit, threading, time\natexit.register(print, 'last')\n"
    late += "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()"
    for to_the_end in (False, True):
        assert preloaded.run(late, to_the_end=to_the_end).stdout == "thread\nlast\n"


def test_to_the_end_is_the_end_of_an_interpreter(preloaded):
    reading, writing = os.pipe()
    os.close(reading)
    done = preloaded.run("print('nobody reads this')", stdout=writing, to_the_end=True)
    os.close(writing)
    assert done.returncode == 120
    assert "BrokenPipeError" in done.stderr


def test_a_process_that_is_lost_is_an_error_and_no_wait():
    with Preloaded() as parent:
        parent.process.kill()
        with pytest.raises(ConnectionError):
            parent.run("pass")
