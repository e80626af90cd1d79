"""Fits that were killed by SIGKILL at random moments end with the bits of fits that were not: see soak.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[1] / "soak.py"


@pytest.mark.slow
@pytest.mark.parametrize(("kills", "resumed"), [(4, 1), (10, 4)])
def test_a_fit_that_is_killed_at_any_moment_and_started_again_ends_with_the_same_bits(kills, resumed):
    soak = [sys.executable, SOAK, "--kills", str(kills)]
    counts = json.loads(subprocess.run(soak, check=True, stdout=subprocess.PIPE).stdout)
    assert counts["kills"] >= kills
    assert counts["mismatches"] == 0
    assert counts["left"] == []
    assert counts["resumed"] >= resumed
    assert counts["epochs"] < counts["epochs_at_most"] / (2 if kills >= 10 else 1)
