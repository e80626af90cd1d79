"""One cluster of this machine for the tests of this folder, in a process of its own, which is ended with all below it
where it does not end in time."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parents[1] / "support"
SECONDS = 600


@pytest.fixture(scope="session")
def told(tmp_path_factory):
    """What `support/ray_session.py` says that happened."""
    pytest.importorskip("ray")
    folder = tmp_path_factory.mktemp("ray")
    places = [str(Path(__file__).parents[2]), str(SUPPORT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, SUPPORT / "ray_session.py", folder],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            _, errors = process.communicate(timeout=SECONDS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0, errors[-3000:]
    return json.loads((folder / "told.json").read_text(encoding="utf-8"))
