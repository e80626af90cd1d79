"""Files as Keras writes them, made once by Keras in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "support" / "keras_files.py"


@pytest.fixture(scope="session")
def keras_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras")
    environment = {**os.environ, "KERAS_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-W", "ignore", SCRIPT, folder], check=True, env=environment)
    return folder
