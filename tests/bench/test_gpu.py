"""The bench of a GPU runs, every line of it, with tiny networks on the CPU; the script around it needs a GPU."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NUMBER = r"[\d,]+"


def run(*words, timeout=500):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", "PYTHON": sys.executable}
    return subprocess.run(
        words, capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT, env=environment
    )


@pytest.mark.slow
def test_every_row_is_measured_and_has_its_ratio_and_its_goal():
    done = run(sys.executable, "bench/gpu.py", "--device", "cpu", "--quick")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    rows = [re.search(rf"({NUMBER}) / +({NUMBER}) \w+ a second = +([\d.]+)   goal (.+)$", line) for line in lines]
    rows = [row for row in rows if row is not None]
    assert [row[4] for row in rows] == [">= .95", ">= 1.0", "none"] * 2 + [">= 3", "none"]
    for row in rows:
        ours, plain = (float(row[part].replace(",", "")) for part in (1, 2))
        assert float(row[3]) == pytest.approx(ours / plain, rel=0.05)
    assert sum("JPEGs of 500 x 375 to features" in line for line in lines) == 2
    assert re.fullmatch(r"10 rows in \d+ s", lines[-1])


def test_without_a_device_the_bench_says_so():
    done = run(sys.executable, "bench/gpu.py")
    assert (done.returncode, done.stdout) == (0, "no CUDA device: nothing to measure here\n")


@pytest.mark.skipif(os.name != "posix", reason="a script of a POSIX shell")
def test_without_a_device_the_script_says_so_and_fails():
    done = run("bash", "bench/cuda.sh")
    assert done.returncode == 2
    assert "torch " in done.stdout
    assert "no CUDA device" in done.stderr
