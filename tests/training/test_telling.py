"""What a training tells before it is done: what it will take, and where it stands."""

import pytest

from headstart.messages import lasting
from headstart.training import telling as module
from headstart.training.telling import Pace, Telling


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass between two looks at the clock."""
    state = {"now": 0.0, "step": 1.0}

    def look():
        state["now"] += state["step"]
        return state["now"]

    monkeypatch.setattr(module.time, "perf_counter", look)
    return state


def told(epochs, steps, *, done=0, count=6):
    lines, places = [], []
    pace = Pace(
        Telling(say=lines.append, step=lambda done, total: places.append((done, total))), 1, epochs, steps, done
    )
    for _ in range(count):
        pace.step()
    return lines, places


def test_what_a_stage_will_take_is_told_once_after_some_steps(clock):
    lines, places = told(10, 12)
    assert lines == [
        "stage 2: at most 10 epochs of 12 steps of 1 s, 2 min and the validation after each epoch; "
        "it ends sooner where that gets no better"
    ]
    assert places == [(number, 120) for number in range(1, 7)]


def test_a_run_that_goes_on_tells_what_is_left(clock):
    lines, places = told(10, 12, done=96)
    assert "12 steps of 1 s, 20 s and" in lines[0]
    assert places[0] == (97, 120)


def test_a_short_stage_says_nothing(clock):
    clock["step"] = 0.01
    assert told(10, 12)[0] == []
    clock["step"] = 100.0
    assert told(1, 3, count=3)[0] == []  # over before it is measured


@pytest.mark.parametrize(("seconds", "words"), [(40, "40 s"), (99.4, "99 s"), (400, "7 min"), (9000, "2.5 h")])
def test_times_in_words(seconds, words):
    assert lasting(seconds) == words
