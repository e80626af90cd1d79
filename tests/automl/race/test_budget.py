"""A budget as people write it, and a clock that is not the machine's."""

from __future__ import annotations

import math

import pytest

from headstart.automl.race.budget import Budget, Deadline, OutOfTime, seconds_of
from headstart.listener import SILENT


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("10m", 600), ("1h30m", 5400), (" 2 min ", 120), ("1.5h", 5400), ("45", 45), ("1d", 86_400),
        ("1H 5M 3S", 3903), (".5m", 30), (12, 12), (0.25, 0.25),
    ],
)  # fmt: skip
def test_a_time_is_read(text, seconds):
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "nonsense",
    ["10 bananas", "", "m", "ten minutes", "10m tomorrow", "5x", "0", "0s", "-3", "-3m", "nan", "inf", "1e999", 0, -1,
     math.nan, math.inf, True, None, [10]],
)  # fmt: skip
def test_what_is_no_time_is_refused_and_an_example_given(nonsense):
    with pytest.raises(ValueError, match=r"budget=.*expected a time such as 90s, 10m, 1h30m"):
        seconds_of(nonsense)


def test_the_budget_counts_from_where_the_run_began():
    clock = Clock()
    budget = Budget(60.0, clock=clock, began=990.0)
    clock.now = 1020.0
    assert (budget.spent, budget.left) == (30.0, 30.0)


def test_a_deadline_ends_what_it_hears_only_once_its_time_is_over():
    clock = Clock()
    deadline = Deadline(SILENT, 5.0, clock)
    clock.now += 5.0
    deadline.progress("epochs", 1, 2)
    deadline.say("still going")
    clock.now += 0.1
    with pytest.raises(OutOfTime, match="more than the 5 s"):
        deadline.progress("epochs", 2, 2)
    deadline.progress("test", 1, 1)  # what goes on with what there is, is not ended again


def test_a_deadline_passes_on_what_it_hears_unless_it_is_quiet():
    lines = []

    class Heard:
        def say(self, line):
            lines.append(line)

        def progress(self, stage, done, total):
            lines.append((stage, done, total))

    for quiet in (True, False):
        deadline = Deadline(Heard(), 5.0, Clock(), quiet=quiet)
        deadline.say("a line")
        deadline.progress("steps", 1, 2)
    assert lines == ["a line", ("steps", 1, 2)]
