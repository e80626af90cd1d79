import signal
import sys

import pytest

from headstart.features.cache.memory import Memory
from headstart.features.engines import processor, support
from headstart.features.engines.support import obstacle


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """Put another program in the place of the trial; it notes each time it runs."""

    def put(code):
        path = tmp_path / "trial.py"
        path.write_text(f"open({str(tmp_path / 'runs')!r}, 'a').write('x')\n{code}")
        monkeypatch.setattr(support, "_TRIAL", path)
        monkeypatch.setattr(processor, "has_bfloat16", lambda: True)
        monkeypatch.setattr(support, "installed_version", lambda engine: "1.0")
        return lambda: len((tmp_path / "runs").read_text())

    return put


def test_torch_float32_needs_no_proof():
    assert obstacle("torch", "float32", Memory(None), try_it=False) == ""


def test_what_worked_is_remembered(trial, tmp_path):
    runs = trial("print('float32', flush=True)\nprint('bfloat16')")
    for _ in range(2):
        memory = Memory(tmp_path / "memory")
        assert obstacle("openvino", "float32", memory) == ""
        assert obstacle("openvino", "bfloat16", memory) == ""
    assert runs() == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_process_that_dies_leaves_this_one_alive(trial):
    trial(f"print('float32', flush=True)\nimport os\nos.kill(os.getpid(), {int(signal.SIGILL)})")
    memory = Memory(None)
    assert obstacle("torch", "bfloat16", memory, try_it=False) is None
    assert obstacle("torch", "bfloat16", memory) == "torch bfloat16 died of SIGILL when it was tried"
    assert obstacle("torch", "bfloat16", memory, try_it=False) == "torch bfloat16 died of SIGILL when it was tried"
    assert obstacle("openvino", "float32", memory) == ""


def test_a_process_that_fails_is_quoted(trial):
    trial("raise RuntimeError('no such primitive')")
    why = obstacle("openvino", "float32", Memory(None))
    assert why == "openvino float32 failed (RuntimeError: no such primitive) when it was tried"


def test_a_process_that_says_nothing(trial):
    trial("raise SystemExit(3)")
    assert "failed (exit status 3)" in obstacle("openvino", "float32", Memory(None))


def test_a_process_that_hangs(trial, monkeypatch):
    trial("import time\ntime.sleep(60)")
    monkeypatch.setattr(support, "_PATIENCE", 0.2)
    assert "timed out" in obstacle("openvino", "float32", Memory(None))


def test_no_interpreter_to_try_it_with(trial, monkeypatch):
    trial("")
    monkeypatch.setattr(sys, "executable", "")
    assert "there is no Python interpreter to start" in obstacle("openvino", "float32", Memory(None))
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert "No such file" in obstacle("openvino", "float32", Memory(None))


def test_what_is_not_there_is_not_tried(monkeypatch):
    monkeypatch.setattr(processor, "has_bfloat16", lambda: False)
    assert obstacle("torch", "bfloat16", Memory(None)) == "this processor has no bfloat16 arithmetic"
    monkeypatch.setattr(support, "installed_version", lambda engine: "")
    assert "OpenVINO is not installed" in obstacle("openvino", "float32", Memory(None))


@pytest.mark.usefixtures("has_openvino")
def test_openvino_float32_works_here():
    """The real trial: whatever becomes of bfloat16, this process lives, and float32 is settled before it."""
    memory = Memory(None)
    assert obstacle("openvino", "float32", memory) == ""
    assert isinstance(obstacle("openvino", "bfloat16", memory), str)
