"""What a person sees of a long run where standard error is a file."""

import io

import pytest

from headstart.cli import terminal as module
from headstart.cli.terminal import Terminal


@pytest.fixture
def log(monkeypatch):
    """A terminal that writes to a file, that file, and its clock."""
    clock, file = {"now": 1000.0}, io.StringIO()
    monkeypatch.setattr(module.time, "monotonic", lambda: clock["now"])
    monkeypatch.setattr(module, "Errors", lambda: file)
    return Terminal(), file, clock


def test_a_log_file_has_a_line_every_half_minute(log):
    terminal, file, clock = log
    with terminal:
        for done in range(1, 13):
            clock["now"] += 10
            terminal.progress("lp-ft: steps", done, 100)
        lines = [line for line in file.getvalue().splitlines() if "left at this pace" in line]
    assert lines == [
        "lp-ft: steps 3 of 100, 16 min left at this pace",
        "lp-ft: steps 6 of 100, 16 min left at this pace",
        "lp-ft: steps 9 of 100, 15 min left at this pace",
        "lp-ft: steps 12 of 100, 15 min left at this pace",
    ]


def test_a_stage_that_begins_again_counts_anew(log):
    terminal, file, clock = log
    with terminal:
        for done in (1, 50, 100, 1, 2, 3):
            clock["now"] += 20
            terminal.progress("gradual: steps", done, 100)
        lines = [line for line in file.getvalue().splitlines() if "steps" in line and "left" in line]
    assert lines == [
        "gradual: steps 50 of 100, 20 s left at this pace",
        "gradual: steps 3 of 100, 32 min left at this pace",
    ]


def test_what_is_done_in_less_has_no_line(log):
    terminal, file, clock = log
    with terminal:
        for done in range(1, 4):
            clock["now"] += 5
            terminal.progress("features", done, 3)
        assert "left" not in file.getvalue()
