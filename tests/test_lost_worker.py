"""A run of tests whose worker is lost ends, and fails: with the settings of this suite, on a suite of three files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = Path(__file__).parents[1] / "pyproject.toml"
KILLED = "import os, signal\ndef test_killed():\n    os.kill(os.getpid(), signal.SIGKILL)\n"
PASSES = "import pytest\n@pytest.mark.parametrize('number', range(20))\ndef test_passes(number):\n    pass\n"


def ended(folder):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-c", SETTINGS, "-n", "2", "--dist", "loadfile", folder]
    command += ["-p", "no:hypothesispytest"]  # which plays no part, and takes three processes a second each to import
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_lost_worker_ends_the_run_with_a_failure(tmp_path, place):
    files = {"test_a.py": PASSES, "test_b.py": PASSES, "test_c.py": PASSES}
    files["test_a.py" if place == "first" else "test_c.py"] = KILLED + (PASSES if place == "first" else "")
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    run = ended(tmp_path)
    assert run.returncode == 1, run.stdout
    assert "test_killed" in run.stdout
    assert "crashed" in run.stdout


def test_the_same_suite_passes_where_no_worker_is_lost(tmp_path):
    (tmp_path / "test_a.py").write_text(PASSES)
    run = ended(tmp_path)
    assert run.returncode == 0, run.stdout
