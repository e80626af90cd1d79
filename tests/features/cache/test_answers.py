"""Answers that are kept: the same to the bit, by content, and the run goes on whatever becomes of the folder."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from headstart.features.cache import answers as module
from headstart.features.cache.answers import AnswerCache
from headstart.features.cache.cache import Cache

ANSWERS = np.random.default_rng(0).normal(size=(40, 3))
PARTS = ("classification", 3, None, [b"a" * 32, b"b" * 32], np.arange(4), np.array([0.5, 0.25]))


class Asked:
    """Computes, and counts how often."""

    def __init__(self, answers=ANSWERS):
        self.answers, self.times = answers, 0

    def __call__(self):
        self.times += 1
        return self.answers


def recall(folder, asked, parts=PARTS, *, name="no-transfer", revision=1, said=None, limit=10**9):
    cache = None if folder is None else Cache(folder, limit_bytes=limit)
    return AnswerCache(cache, (said if said is not None else []).append).recall(name, revision, parts, asked)


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "about.json")


@pytest.mark.parametrize("answers", [ANSWERS, ANSWERS[:, 0], ANSWERS.T.T[::2], np.full((2, 2), np.nan), ANSWERS[:0]])
def test_what_was_kept_is_read_to_the_bit(tmp_path, answers):
    asked = Asked(answers)
    first, second = recall(tmp_path, asked), recall(tmp_path, asked)
    assert asked.times == 1
    assert first.tobytes() == second.tobytes() == answers.tobytes()
    assert (second.shape, second.dtype) == (answers.shape, answers.dtype)


CHANGED = [
    ("regression", *PARTS[1:]),
    (*PARTS[:1], 4, *PARTS[2:]),
    (*PARTS[:2], "balanced", *PARTS[3:]),
    (*PARTS[:3], [b"b" * 32, b"a" * 32], *PARTS[4:]),
    (*PARTS[:3], [b"a" * 32], *PARTS[4:]),
    (*PARTS[:4], np.arange(4).astype(np.int32), PARTS[5]),
    (*PARTS[:4], np.arange(4).reshape(2, 2), PARTS[5]),
    (*PARTS[:5], np.nextafter(PARTS[5], 1)),
    PARTS[:5],
    (*PARTS, None),
]


@pytest.mark.parametrize("parts", CHANGED)
def test_any_change_of_what_they_follow_from_computes_them(tmp_path, parts):
    recall(tmp_path, Asked())
    changed = Asked(ANSWERS + 1)
    assert (recall(tmp_path, changed, parts) == ANSWERS + 1).all()
    assert changed.times == 1
    assert (recall(tmp_path, Asked()) == ANSWERS).all()


def test_another_contender_and_another_revision_are_kept_apart(tmp_path):
    recall(tmp_path, Asked())
    for changed in ({"name": "direct"}, {"revision": 2}):
        asked = Asked()
        recall(tmp_path, asked, **changed)
        assert asked.times == 1
    holdings = Cache(tmp_path).describe()
    assert [holding.rows for holding in holdings] == [1, 1, 1]
    assert {(holding.kind, holding.label) for holding in holdings} == {
        ("answers", "no-transfer"),
        ("answers", "direct"),
    }
    assert Cache(tmp_path).clear() > 3 * ANSWERS.nbytes
    assert Cache(tmp_path).describe() == []


def test_other_libraries_answer_anew(tmp_path, monkeypatch):
    recall(tmp_path, Asked())
    monkeypatch.setattr(module, "_versions", lambda: ["scikit-learn 0"])
    recall(tmp_path, asked := Asked())
    assert asked.times == 1


def test_without_a_cache_nothing_is_read_or_written(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "HEADSTART_CACHE", str(tmp_path / "default"))
    asked = Asked()
    for _ in range(2):
        assert recall(None, asked) is ANSWERS
    assert asked.times == 2
    assert files(tmp_path) == []


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_what_is_damaged_is_computed_again(tmp_path, damage):
    recall(tmp_path, Asked())
    (path,) = files(tmp_path)
    content = path.read_bytes()
    flipped = content[:200] + bytes([content[200] ^ 1]) + content[201:]
    path.write_bytes({"cut": content[:-9], "flipped": flipped, "empty": b"", "other": b"PK" + content}[damage])
    said: list[str] = []
    recall(tmp_path, asked := Asked(), said=said)
    assert asked.times == 1
    assert said == ["  cache: 1 damaged file removed, the rows computed again"]
    recall(tmp_path, asked)
    assert asked.times == 1
    assert files(tmp_path)[0].read_bytes() == content


def test_no_entry_is_unpickled(tmp_path):
    recall(tmp_path, Asked())
    (path,) = files(tmp_path)
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    body = path.read_bytes()
    path.write_bytes(body + module.blake3(body).digest())
    with pytest.raises(ValueError, match="allow_pickle=False"):
        recall(tmp_path, Asked())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_is_told_of_once(tmp_path, monkeypatch, number):
    def refuse(path, content):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(module, "write_file", refuse)
    said: list[str] = []
    kept = AnswerCache(Cache(tmp_path), said.append)
    asked = Asked()
    for seed in range(3):
        assert kept.recall("direct", 1, [seed], asked) is ANSWERS
    assert asked.times == 3
    (line,) = said
    assert os.strerror(number) in line
    assert line.endswith("the run goes on without")


def test_a_folder_that_is_a_file_is_done_without(tmp_path):
    (tmp_path / "cache").write_text("")
    said: list[str] = []
    assert recall(tmp_path / "cache", Asked(), said=said) is ANSWERS
    assert len(said) == 1


def test_within_the_limit_the_least_recently_used_go(tmp_path):
    limit = 3 * (ANSWERS.nbytes + 200)
    for seed in range(4):
        recall(tmp_path, Asked(), [seed], limit=limit)
        for path in files(tmp_path):
            os.utime(path, (path.stat().st_atime - 100, path.stat().st_mtime - 100))
        recall(tmp_path, Asked(), [0], limit=limit)
    recall(tmp_path, first := Asked(), [0], limit=limit)
    recall(tmp_path, second := Asked(), [1], limit=limit)
    assert (first.times, second.times) == (0, 1)


PROCESS = """
import sys, time
import numpy as np
from headstart.features.cache.answers import AnswerCache
from headstart.features.cache.cache import Cache

kept = AnswerCache(Cache(sys.argv[1]), sys.stdout.write)
print("begun", flush=True)
for turn in range(int(sys.argv[2])):
    answers = kept.recall("no-transfer", 1, [turn % 7], lambda: np.full((2000, 50), turn % 7, np.float64))
    assert (answers == turn % 7).all() and answers.shape == (2000, 50)
    for path in Cache(sys.argv[1]).folder.rglob("*.npy"):
        if turn % 3 == 0:
            path.unlink(missing_ok=True)
"""


def begun(folder, turns):
    script = [sys.executable, "-c", textwrap.dedent(PROCESS), str(folder), str(turns)]
    process = subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    return process


def test_two_processes_at_once(tmp_path):
    both = [begun(tmp_path, 60) for _ in range(2)]
    for process in both:
        said, complaint = process.communicate(timeout=120)
        assert (process.returncode, said, complaint) == (0, "", "")


def test_a_run_killed_in_the_middle_of_a_write_leaves_nothing_half(tmp_path):
    rng = np.random.default_rng(0)
    for _ in range(5):
        process = begun(tmp_path, 10**9)
        while not files(tmp_path):
            assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    said: list[str] = []
    kept = AnswerCache(Cache(tmp_path), said.append)
    for turn in range(7):
        answers = kept.recall("no-transfer", 1, [turn], lambda turn=turn: np.full((2000, 50), turn, np.float64))
        assert (answers == turn).all()
    assert said == []
    assert all(path.suffix in (".npy", ".tmp") for path in files(Path(tmp_path)))
