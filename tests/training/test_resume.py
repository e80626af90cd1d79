"""Fits that were killed by SIGKILL at random moments end with the bits of fits that were not: see soak.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[1] / "soak.py"


def test_a_fit_that_is_killed_at_any_moment_and_started_again_ends_with_the_same_bits():
    found = json.loads(
        subprocess.run([sys.executable, SOAK, "--kills", "10"], check=True, stdout=subprocess.PIPE).stdout
    )
    assert found["kills"] >= 10
    assert found["mismatches"] == 0
    assert found["left"] == []
    assert found["resumed"] >= 4
    assert found["epochs"] < found["epochs_at_most"] / 2
