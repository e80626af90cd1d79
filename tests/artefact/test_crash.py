"""Whatever ends a save, and whenever: the place holds the old model whole or the new one whole."""

import gc
import linecache
import os
import signal
import subprocess
import sys

import pytest

from headstart.artefact import place, read, verify, write, writing

# A child that replaces `target` by the models `one` and `two` in turn until it is killed, over and over.
KILLS = """
import os, random, signal, sys, time
from headstart.artefact import read, write
one, two, target = sys.argv[1:4]
models = [read(one), read(two)]
draw = random.Random(0)
for turn in range(int(sys.argv[5])):
    child = os.fork()
    if not child:
        try:
            while True:
                for model in models:
                    write(model, target, overwrite=True)
        except KeyboardInterrupt:
            os._exit(0)
    time.sleep(draw.uniform(0.01, 0.12))
    os.kill(child, int(sys.argv[4]))
    os.waitpid(child, 0)
    assert read(target).modality in ("table", "array")
"""


@pytest.fixture
def models(tmp_path, table_model, array_model):
    """Two saved models, and a third place that holds a copy of the first."""
    write(table_model, tmp_path / "one")
    write(array_model, tmp_path / "two")
    (tmp_path / "place").mkdir()
    return tmp_path / "one", tmp_path / "two", write(table_model, tmp_path / "place" / "m")


def end_often(models, number, times):
    subprocess.run([sys.executable, "-c", KILLS, *models, str(int(number)), str(times)], check=True)


def test_killed_at_random_moments(models):
    end_often(models, signal.SIGKILL, 30)
    assert verify(models[2])


def test_ctrl_c_at_random_moments_leaves_nothing_beside(models):
    end_often(models, signal.SIGINT, 12)
    assert os.listdir(models[2].parent) == ["m"]


class Interrupt:
    """Raises KeyboardInterrupt at the n-th line that runs in the modules that write."""

    def __init__(self, at):
        self.left, self.line = at, None

    def __call__(self, frame, event, argument):
        if frame.f_code.co_filename not in (writing.__file__, place.__file__):
            return None
        if event == "line":
            self.left -= 1
            if self.left < 0 and self.line is None:
                self.line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
                raise KeyboardInterrupt
        return self


def interrupted(at, model, target):
    """Whether the save came to its end before line `at`; the line at which it was interrupted."""
    interrupt, before = Interrupt(at), sys.gettrace()
    sys.settrace(interrupt)
    try:
        write(model, target, overwrite=True)
    except KeyboardInterrupt:
        return interrupt.line
    finally:
        sys.settrace(before)
    return None


@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_interrupted_at_every_line(models, table_model, array_model):
    target, at, left = models[2], 0, []
    while line := interrupted(at, table_model if at % 2 else array_model, target):
        assert read(target).modality in ("table", "array")
        beside = sorted(set(os.listdir(target.parent)) - {"m"})
        left += [line] if beside else []
        for name in beside:
            place.discard(target.parent / name)
        at += 1
    gc.collect()  # a file opened on the very line of an interrupt is closed here, with a warning
    assert at > 100
    assert left == ["discard(stage)", "try:"]  # the way into the clean-up; a save a day later sweeps up
