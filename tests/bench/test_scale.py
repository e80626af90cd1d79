"""The bench of scale in small: each step's result is right, and what it allocates beyond the data is bounded."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
NAMES = ["CORAL", "linear transport", "BBSE", "MLLS", "discriminator"]


@pytest.fixture
def scale(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", [str(BENCH), *sys.path])
    return importlib.import_module("scale")


@pytest.mark.parametrize("name", NAMES)
def test_a_step_is_right_and_copies_no_data(scale: Any, name: str) -> None:
    """What moves rows holds the moved ones and less than another copy; what weighs them less than one copy."""
    case = scale.CASES[name]
    domains = case.data(20_000, 64)
    case.step(case.data(200, 64))
    tracemalloc.start()
    try:
        found = case.step(domains)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    said, right = case.check(domains, found)
    assert right, said
    copies = 1 if found.source is domains.source else 2
    assert peak < copies * domains.source.nbytes


def test_all_cases_are_tested(scale: Any) -> None:
    assert list(scale.CASES) == NAMES


def test_the_script_prints_seconds_memory_and_whether_it_is_right() -> None:
    command = [sys.executable, str(BENCH / "scale.py"), "--rows", "3000", "--columns", "8", "--only", "CORAL"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    first, second = done.stdout.splitlines()
    assert first == "3,000 + 3,000 rows x 8, float64: 0 MB either task"
    for words in ("CORAL", " s ", "MB beyond the data, goal <= 2000", "mean and covariance off by", ": right"):
        assert words in second
